// Durations as Go writes them: `1h30m`, `-1.5s`. Source: package time of Go, ParseDuration.

const milliseconds: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** The duration in milliseconds, or the error in Go's words. */
export function parseDuration(text: string): number | { readonly wrong: string } {
  const quoted = JSON.stringify(text);
  const [, sign, amounts = ""] = /^([+-]?)(.*)$/.exec(text) ?? [];
  if (amounts === "0") return 0;
  if (amounts === "") return { wrong: `time: invalid duration ${quoted}` };
  let total = 0;
  for (let rest = amounts; rest !== ""; ) {
    const [all = "", amount, unit = ""] = /^(\d+\.?\d*|\.\d+)([^\d.]*)/.exec(rest) ?? [];
    if (amount === undefined) return { wrong: `time: invalid duration ${quoted}` };
    if (unit === "") return { wrong: `time: missing unit in duration ${quoted}` };
    const factor = milliseconds[unit];
    if (factor === undefined) return { wrong: `time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}` };
    total += Number(amount) * factor;
    rest = rest.slice(all.length);
  }
  return sign === "-" ? -total : total;
}
