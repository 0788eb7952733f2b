// How much of the past is kept, as `--history` says it.
import { expect, test } from "vitest";
import { parseHistoryLimits } from "../../../cli/history-limits.ts";

test.each<[text: string, ageMs: number, bytes: number]>([
  ["1h,256Mi", 3_600_000, 256 * 2 ** 20],
  ["256Mi,90m", 5_400_000, 256 * 2 ** 20],
  ["10m", 600_000, 128 * 2 ** 20],
  ["1G", 3_600_000, 1e9],
])("%s", (text, ageMs, bytes) => expect(parseHistoryLimits(text)).toEqual({ ageMs, bytes }));

test.each(["", "1h,2h", "1Gi,2Gi", "1h,1Gi,1h", "-1h", "0s", "0Mi", "long", "1h;1Gi"])("refused: %s", (text) =>
  expect(() => parseHistoryLimits(text)).toThrow("is no length of history"),
);
