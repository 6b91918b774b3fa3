/**
 * What is made for publishing, and for nothing else: types/ from the sources' JSDoc, dist/ as one minified file for a
 * script tag. `npm pack` and `npm publish` run it; it brings its own tools where they are missing.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, readdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const WEB = fileURLToPath(new URL(".", import.meta.url));
process.chdir(WEB);
if (!existsSync("node_modules/esbuild") || !existsSync("node_modules/typescript")) {
	execFileSync("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"], { stdio: "inherit" });
}
for (const folder of ["types", "dist"]) rmSync(folder, { recursive: true, force: true });
execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.types.json"], { stdio: "inherit" });
// What JSDoc can't say: the names that the element has in HTML, React and Vue.
for (const name of readdirSync("src").filter((file) => file.endsWith(".d.ts")))
	copyFileSync(`src/${name}`, `types/${name}`);

const { build } = await import("esbuild");
const options = {
	bundle: true,
	minify: true,
	format: /** @type {const} */ ("esm"),
	target: "es2022",
	legalComments: /** @type {const} */ ("none"),
};
await build({ ...options, entryPoints: ["src/element.js"], outfile: "dist/anchor-avatar.min.js" });
// An AudioWorklet is a file of its own; speakWith asks for it beside the other.
await build({ ...options, entryPoints: ["src/hearing.js"], outfile: "dist/hearing.js" });
