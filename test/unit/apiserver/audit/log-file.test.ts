// The audit log: every line is written, also those of the last moment; full files are kept as far as wanted.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { instant } from "../../../../api/meta.ts";
import { addressesOf } from "../../../../apiserver/audit/addresses.ts";
import { type AuditLogOptions, auditLog } from "../../../../apiserver/audit/log-file.ts";
import { realWorld } from "../../../../machinery/real-world.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});
const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "orrery-audit-"));
  folders.push(folder);
  return folder;
};

/** A log in a new folder, whose clock the test sets. */
function logIn(folder: string, options: Partial<AuditLogOptions> = {}) {
  const reported: string[] = [];
  const world = realWorld((message) => reported.push(message));
  const time = { now: Date.UTC(2026, 0, 2, 3, 4, 5, 6) };
  const clock = { ...world.clock, now: () => instant(time.now) };
  const path = join(folder, "audit.log");
  const all = { path, maxSizeMiB: 1, maxBackups: 0, maxAgeDays: 0, ...options };
  return { path, time, reported, log: auditLog(all, { ...world, clock }) };
}

test("all lines are written in order, and only their owner may read them", async () => {
  const folder = newFolder();
  const { path, log } = logIn(folder);
  const lines = Array.from({ length: 5000 }, (_, i) => `${i}\n`);
  for (const [i, line] of lines.entries()) {
    log.write(line);
    if (i % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await log.close();
  expect(readFileSync(path, "utf8")).toBe(lines.join(""));
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const again = logIn(folder).log;
  again.write("more\n");
  await again.close();
  expect(readFileSync(path, "utf8")).toBe(`${lines.join("")}more\n`);
});

test("a full file is renamed after the time, and no line is divided", async () => {
  const folder = newFolder();
  const { path, log, time } = logIn(folder);
  const line = `${"x".repeat(700_000)}\n`;
  log.write(line);
  await new Promise((resolve) => setTimeout(resolve, 20));
  log.write(line);
  await log.close();
  expect(readdirSync(folder)).toEqual(["audit-2026-01-02T03-04-05.006.log", "audit.log"]);
  expect(readFileSync(path, "utf8")).toBe(line);
  expect(time.now).toBeGreaterThan(0);
});

test.each([
  [{ maxBackups: 2 }, ["audit-2026-01-01T00-00-00.000.log", "audit-2026-01-02T03-04-05.006.log"]],
  [{ maxAgeDays: 2 }, ["audit-2026-01-01T00-00-00.000.log", "audit-2026-01-02T03-04-05.006.log"]],
  [
    {},
    [
      ...["audit-2025-12-01T00-00-00.000.log", "audit-2025-12-31T00-00-00.000.log"],
      ...["audit-2026-01-01T00-00-00.000.log", "audit-2026-01-02T03-04-05.006.log"],
    ],
  ],
])("with %j old files go, and others stay", async (options, kept) => {
  const folder = newFolder();
  for (const day of ["2025-12-01", "2025-12-31", "2026-01-01"])
    writeFileSync(join(folder, `audit-${day}T00-00-00.000.log`), "");
  for (const name of ["audit-notes.log", "other.txt"]) writeFileSync(join(folder, name), "");
  writeFileSync(join(folder, "audit.log"), "x".repeat(1_048_570));
  const { log } = logIn(folder, options);
  log.write("first\n");
  await new Promise((resolve) => setTimeout(resolve, 20));
  log.write("second\n");
  await log.close();
  expect(readdirSync(folder)).toEqual([...kept, "audit-notes.log", "audit.log", "other.txt"]);
});

test("a log that cannot be written is reported, and does not keep the server from stopping", async () => {
  const folder = newFolder();
  writeFileSync(join(folder, "file"), "");
  const { log, reported } = logIn(folder, { path: join(folder, "file", "audit.log") });
  log.write("lost\n");
  await log.close();
  expect(reported).toContain("the audit log cannot be written");
});

test.each([
  [{}, "10.0.0.1", ["10.0.0.1"]],
  [{}, "::ffff:10.0.0.1", ["10.0.0.1"]],
  [{ "x-forwarded-for": "1.2.3.4, nonsense,::1" }, "10.0.0.1", ["1.2.3.4", "::1", "10.0.0.1"]],
  [{ "x-forwarded-for": "10.0.0.1" }, "10.0.0.1", ["10.0.0.1"]],
  [{ "x-forwarded-for": "1.2.3.4", "x-real-ip": "1.2.3.4" }, "10.0.0.1", ["1.2.3.4", "10.0.0.1"]],
  [{ "x-real-ip": "5.6.7.8" }, undefined, ["5.6.7.8"]],
])("a request with %j from %s came from %j", (headers, remote, expected) => {
  expect(addressesOf(headers, remote)).toEqual(expected);
});
