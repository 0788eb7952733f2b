// Bundles the services and the libraries of their stores into one file, so that the image needs no packages.
import { join } from "node:path";
import { rolldown } from "rolldown";

const folder = import.meta.dirname;
const bundle = await rolldown({
  input: join(folder, "main.ts"),
  platform: "node",
  logLevel: "warn",
  // An optional dependency of pg, which is not installed.
  external: ["pg-native"],
});
await bundle.write({ file: join(folder, "../../build/shop/shop.mjs"), format: "esm", codeSplitting: false });
