// Commands without a server print what kubectl 1.36 printed when they were recorded (see record.ts).
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { folder, type Outcome, readRecording, wordsOf } from "./lines.ts";

const recorded = readRecording();

const outcomes = JSON.parse(
  execFileSync(process.execPath, [join(import.meta.dirname, "run-lines.ts")], {
    cwd: folder,
    input: JSON.stringify(recorded.map(({ line }) => wordsOf(line))),
    encoding: "utf8",
  }),
) as readonly Outcome[];

for (const [i, { line, out, err, code }] of recorded.entries())
  test(line, () => {
    expect(outcomes[i]).toEqual({ out, err, code });
  });
