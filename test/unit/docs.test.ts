// Links of the documentation resolve, and the functions the tour names are in the linked files.
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const pages = globSync("{README.md,*/README.md,test/**/README.md,docs/**/*.md}", { cwd: root }).filter(
  (p) => !p.startsWith("node_modules"),
);

/** Markdown links outside code, and links in diagrams. */
const linksIn = (text: string): readonly RegExpExecArray[] => [
  ...text.replaceAll(/^```(?!mermaid)[\s\S]*?^```/gm, "").matchAll(/(?:\]\(|\bhref ")([^)#"]+)[^)"]*[)"]/g),
];

test("every relative link resolves to a file", () => {
  const broken = pages.flatMap((page) =>
    linksIn(readFileSync(join(root, page), "utf8"))
      .map(([, to]) => to!)
      .filter((to) => !to.includes("://") && !existsSync(join(root, dirname(page), to)))
      .map((to) => `${page}: ${to}`),
  );
  expect(broken).toEqual([]);
});

test("every function the tour names is in the file linked before it", () => {
  const tour = readFileSync(join(root, "docs/tour.md"), "utf8");
  const named = [...tour.matchAll(/\]\((\.\.\/[^)]+\.ts)\)[),]* *\n?`(\w+)`(?: and `(\w+)`)?/g)];
  expect(named.length).toBeGreaterThan(15);
  const missing = named.flatMap(([, file, ...functions]) => {
    const text = readFileSync(join(root, "docs", file!), "utf8");
    return functions
      .filter((f) => f !== undefined && !new RegExp(`(function\\*?|const) ${f}\\b`).test(text))
      .map((f) => `${file}: ${f}`);
  });
  expect(missing).toEqual([]);
});
