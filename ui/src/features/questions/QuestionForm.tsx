import { useId } from "react";
import { HostileText } from "@/components/HostileText";
import { neutralise } from "@/components/hostile";
import type { FieldValue, FormField } from "./formSchema";

const BOX = "rounded-md border border-edge bg-panel px-2";

function Choices({
  field,
  value,
  onChange,
}: {
  field: FormField;
  value: string[];
  onChange: (value: string[]) => void;
}) {
  return (
    <div className="space-y-1">
      {field.options.map((option) => (
        <label key={option.value} className="flex items-center gap-2">
          <input
            type="checkbox"
            checked={value.includes(option.value)}
            onChange={(event) =>
              onChange(
                event.target.checked
                  ? [...value, option.value]
                  : value.filter((each) => each !== option.value),
              )
            }
          />
          {neutralise(option.title).slice(0, 120)}
        </label>
      ))}
    </div>
  );
}

function Input({
  id,
  field,
  value,
  onChange,
}: {
  id: string;
  field: FormField;
  value: FieldValue;
  onChange: (value: FieldValue) => void;
}) {
  const testid = `question-field-${field.name}`;
  if (field.kind === "choices") {
    return <Choices field={field} value={Array.isArray(value) ? value : []} onChange={onChange} />;
  }
  if (field.kind === "boolean") {
    return (
      <input
        id={id}
        type="checkbox"
        data-testid={testid}
        checked={value === true}
        onChange={(event) => onChange(event.target.checked)}
      />
    );
  }
  const shown = typeof value === "string" ? value : "";
  if (field.kind === "choice") {
    return (
      <select
        id={id}
        data-testid={testid}
        value={shown}
        onChange={(event) => onChange(event.target.value)}
        className={`h-8 ${BOX}`}
      >
        <option value="">–</option>
        {field.options.map((option) => (
          <option key={option.value} value={option.value}>
            {neutralise(option.title).slice(0, 120)}
          </option>
        ))}
      </select>
    );
  }
  return (
    <input
      id={id}
      data-testid={testid}
      value={shown}
      autoComplete="off"
      inputMode={field.kind === "number" ? "decimal" : undefined}
      onChange={(event) => onChange(event.target.value)}
      className={`h-8 w-full ${BOX} ${field.kind === "json" ? "font-mono text-small" : ""}`}
    />
  );
}

function Field({
  field,
  value,
  onChange,
}: {
  field: FormField;
  value: FieldValue;
  onChange: (value: FieldValue) => void;
}) {
  const id = useId();
  const label = (
    <>
      <HostileText text={field.title} limit={120} />
      {field.required ? <span className="text-bad"> *</span> : null}
      {field.kind === "json" ? <span className="font-normal text-ink-faint"> (JSON)</span> : null}
    </>
  );
  return (
    <div>
      {field.kind === "choices" ? (
        <p className="mb-1 font-medium">{label}</p>
      ) : (
        <label htmlFor={id} className="mb-1 block font-medium">
          {label}
        </label>
      )}
      <Input id={id} field={field} value={value} onChange={onChange} />
      {field.description ? (
        <p className="mt-0.5 text-small text-ink-faint">
          <HostileText text={field.description} limit={200} />
        </p>
      ) : null}
    </div>
  );
}

/** The fields that a server asks for. Their labels are the server's words. */
export function QuestionForm({
  fields,
  values,
  onChange,
}: {
  fields: FormField[];
  values: ReadonlyMap<string, FieldValue>;
  onChange: (values: ReadonlyMap<string, FieldValue>) => void;
}) {
  return (
    <div className="max-w-xl space-y-3" data-testid="question-form">
      {fields.map((field) => (
        <Field
          key={field.name}
          field={field}
          value={values.get(field.name) ?? field.initial}
          onChange={(value) => onChange(new Map(values).set(field.name, value))}
        />
      ))}
    </div>
  );
}
