// The TypeScript SDK.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(`${process.env.ATT_PEER_TS_SDK}/here.js`);
const { Client, StreamableHTTPClientTransport } = require("@modelcontextprotocol/client");
const job = JSON.parse(readFileSync(process.argv[2], "utf8"));

async function connect(url) {
  const client = new Client({ name: "bench", version: "1" });
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  await client.listTools();
  return client;
}

const memory = () => process.memoryUsage.rss() / 1024;
const echo = (client) => client.callTool({ name: "echo", arguments: { text: "hello" } });
const before = memory();
const begun = performance.now();
const all = job.servers.map(({ url, healthy }) => ({ healthy, client: connect(url) }));
for (const { healthy, client } of all) if (!healthy) client.catch(() => {});
const clients = await Promise.all(all.filter(({ healthy }) => healthy).map(({ client }) => client));
const measured = { ready_ms: performance.now() - begun };
await new Promise((done) => setTimeout(done, 1000));
measured.memory_kib = memory() - before;
if (job.calls > 0) {
  let times = [];
  for (let number = 0; number < job.calls; number += 1) {
    const began = performance.now();
    await echo(clients[0]);
    times.push((performance.now() - began) * 1000);
  }
  times = times.slice(times.length / 10).sort((a, b) => a - b);
  measured.p50_us = times[Math.floor(times.length / 2)];
  measured.p99_us = times[Math.floor((times.length * 99) / 100)];
  const each = Math.floor(job.calls / 64);
  const began = performance.now();
  const caller = async () => {
    for (let number = 0; number < each; number += 1) await echo(clients[0]);
  };
  await Promise.all(Array.from({ length: 64 }, caller));
  measured.per_second = (each * 64 * 1000) / (performance.now() - began);
}
console.log(JSON.stringify(measured));
process.exit(0);
