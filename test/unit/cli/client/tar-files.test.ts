// Files become archives and back; archives that would write elsewhere are left out.
import { linkSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { extract, type Header, pack } from "tar-stream";
import { afterAll, expect, test } from "vitest";
import { packed, unpack } from "../../../../cli/client/tar-files.ts";

const folder = mkdtempSync(join(tmpdir(), "orrery-tar-"));
const at = (...parts: readonly string[]): string => join(folder, ...parts);
afterAll(() => rmSync(folder, { recursive: true }));

const longName = "with a long name ".repeat(8);

/** Unpacks an archive below `to`; returns the warnings. */
async function unpackInto(to: string, prefix: string, chunks: AsyncIterable<unknown>): Promise<string> {
  let warnings = "";
  const warn = (text: string): void => {
    warnings += `${text.replaceAll(folder, "")}\n`;
  };
  const archive = extract();
  const unpacked = unpack(archive, { prefix, destination: at(to), linkCommand: "COMMAND", warn });
  for await (const chunk of chunks) archive.write(chunk);
  archive.end(null);
  await unpacked;
  return warnings;
}

test("a folder comes back as it was, without its links", async () => {
  mkdirSync(at("src/sub/empty"), { recursive: true });
  writeFileSync(at("src/a"), "a".repeat(700_000));
  writeFileSync(at("src/none"), "");
  writeFileSync(at("src/sub", longName), "x");
  linkSync(at("src/a"), at("src/hard"));
  symlinkSync("/etc/passwd", at("src/link"));
  expect(
    await unpackInto(
      "back",
      "top",
      packed(at("src"), "top", () => {}),
    ),
  ).toBe('skipping symlink: "/back/link" -> "/etc/passwd" (consider using "COMMAND")\n');
  for (const file of ["a", "none", "hard", `sub/${longName}`])
    expect(readFileSync(at("back", file)).equals(readFileSync(at("src", file)))).toBe(true);
  expect(lstatSync(at("back/sub/empty")).isDirectory()).toBe(true);
  expect(existsSync(at("back/link"))).toBe(false);
});

test("a reader that ends early ends the archive", async () => {
  writeFileSync(at("large"), Buffer.alloc(8_000_000));
  for await (const chunk of packed(at("large"), "large", () => {})) if ((chunk as Buffer).length > 1000) break;
  await expect(Array.fromAsync(packed(at("missing"), "x", () => {}))).rejects.toThrow("no such file or directory");
});

const archiveOf = (entries: readonly (Partial<Header> & Pick<Header, "name">)[]): AsyncIterable<unknown> => {
  const archive = pack();
  for (const entry of entries) archive.entry(entry, entry.type === undefined ? "x" : "");
  archive.finalize();
  return archive;
};

test("names and links that lead elsewhere are left out", async () => {
  const warnings = await unpackInto(
    "evil",
    "e",
    archiveOf([
      { name: "e/ok" },
      { name: "e/../outside" },
      { name: "e/link", type: "symlink", linkname: at("elsewhere") },
      { name: "e/link/in" },
      { name: "e/hard", type: "link", linkname: "e/ok" },
      { name: "e/hardout", type: "link", linkname: "/etc/passwd" },
    ]),
  );
  expect(warnings.split("\n")).toEqual([
    'file "/outside" is outside target destination, skipping',
    'skipping symlink: "/evil/link" -> "/elsewhere" (consider using "COMMAND")',
    'skipping hard link: "/evil/hardout" -> "/etc/passwd"',
    "",
  ]);
  expect(readFileSync(at("evil/hard"), "utf8")).toBe("x");
  // Without the link, its name is that of a folder.
  expect(readFileSync(at("evil/link/in"), "utf8")).toBe("x");
  expect(["outside", "elsewhere", "evil/hardout"].filter((file) => existsSync(at(file)))).toEqual([]);
});

test("a file cannot take the place of a folder", async () => {
  mkdirSync(at("taken/f"), { recursive: true });
  const unpacked = unpackInto("taken", "", archiveOf([{ name: "f" }]));
  await expect(unpacked).rejects.toThrow(`open ${at("taken/f")}: is a directory`);
});
