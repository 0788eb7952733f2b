// Labels as flags of `run` and `expose` write them: `a=b,c=d`.
import { CliError } from "../cli-error.ts";

/** The labels of a text, in alphabetical order. Throws CliError in kubectl's words. */
export function labelsOf(text: string): Readonly<Record<string, string>> {
  const entries = text.split(",").map((pair) => {
    const [key = "", value, ...more] = pair.split("=");
    if (value === undefined || more.length > 0) throw new CliError(`unexpected label spec: ${pair}`);
    return [key, value] as const;
  });
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
