const WIDTH = 48;
const HEIGHT = 18;

/** The last latencies as a small line. For the eye only: the number stands beside it. */
export function Sparkline({ values }: { values: (number | null)[] }) {
  const known = values.filter((value): value is number => value !== null);
  if (known.length < 2) return <svg aria-hidden="true" width={WIDTH} height={HEIGHT} />;
  const top = Math.max(...known, 1);
  const step = WIDTH / (known.length - 1);
  const points = known
    .map(
      (value, index) =>
        `${(index * step).toFixed(1)},${(HEIGHT - 2 - (value / top) * (HEIGHT - 4)).toFixed(1)}`,
    )
    .join(" ");
  return (
    <svg
      aria-hidden="true"
      width={WIDTH}
      height={HEIGHT}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      className="shrink-0 text-ink-faint"
    >
      <polyline points={points} fill="none" stroke="currentColor" strokeWidth="1.25" strokeLinejoin="round" />
    </svg>
  );
}
