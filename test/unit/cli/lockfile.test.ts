// A fresh machine installs with `npm ci`, which refuses a lock file that leaves out packages of other platforms.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

interface Locked {
  readonly version: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

test("the lock file names every optional package of every platform", () => {
  const file = join(import.meta.dirname, "../../../package-lock.json");
  const { packages } = JSON.parse(readFileSync(file, "utf8")) as { packages: Readonly<Record<string, Locked>> };
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages))
      .map((name) => `${path} may want ${name}`),
  );
  expect(missing).toEqual([]);
});
