import { startBrowser } from "./test/browser/harness.js";
import { shown } from "./test/browser/shown.js";
import { writeFileSync } from "node:fs";
const times = process.env.TIMES ? process.env.TIMES.split(",").map(Number) : [10];
const b = await startBrowser();
const page = await b.newPage();
for (const f of process.argv.slice(2)) {
  const s = await shown(page, f, times);
  s.pictures.forEach((p, i) => writeFileSync(f + `.${i}.rgba`, p));
  console.log(JSON.stringify({ f: f.split("/").pop(), e: s.error?.slice(0,150), w: s.width, h: s.height, d: s.durationMs, n: s.pictures.length }));
}
await b.close();
