// Knows which unquoted scalars Go's yaml.v2 reads as something else than strings, and how it writes numbers.

const words = new Set(
  [
    ["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"],
    ["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"],
    ["", "~", "null", "Null", "NULL"],
    [".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"],
  ].flat(),
);

const integer = /^[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]*|[1-9][0-9]*)$/;
const float = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
/** Sexagesimal numbers of YAML 1.1. */
const base60 = /^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$/;
const date =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:(?:[Tt](\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,]\d+)?(?:Z|[-+]\d\d:\d\d)|\s+(\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,]\d+)?))?$/;

function isInteger(text: string): boolean {
  if (!integer.test(text)) return false;
  const digits = text.replace(/^[-+]/, "");
  const octal = /^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits;
  const magnitude = BigInt(octal === "0o" || octal === "0O" ? "0" : octal);
  return text.startsWith("-") ? magnitude <= 2n ** 63n : magnitude < 2n ** (text.startsWith("+") ? 63n : 64n);
}

function isTimestamp(text: string): boolean {
  const match = date.exec(text);
  if (match === null) return false;
  const [year, month, day, ...time] = match.slice(1).map(Number) as [number, number, number, ...number[]];
  const daysInMonth = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const [hour = 0, minute = 0, second = 0] = time.filter((n) => !Number.isNaN(n));
  return month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth && hour < 24 && minute < 60 && second < 60;
}

/** Whether a text is read as the same string when it is written without quotes. */
export function isPlainString(text: string): boolean {
  if (words.has(text)) return false;
  const first = text[0]!;
  if (first === ".") return !(float.test(text) && Number.isFinite(Number(text)));
  if (!/[-+0-9]/.test(first)) return true;
  if (base60.test(text) || isTimestamp(text)) return false;
  const digits = text.replaceAll("_", "");
  return !(isInteger(digits) || (float.test(digits) && Number.isFinite(Number(digits))));
}
