// What completion offers for a word, and what the shell does with it: cobra's protocol of `__complete`.
import type { GlobalFlags } from "../program/global-flags.ts";

/** The directives that end the output, as bits. Without `noFiles`, the shell adds files. */
export const directives = { none: 0, noSpace: 2, noFiles: 4, extensions: 8, folders: 16 } as const;

export interface Candidate {
  readonly value: string;
  readonly description?: string;
}
export interface Offer {
  readonly candidates: readonly Candidate[];
  readonly directive: number;
}

/** The words before the one that is completed, parsed. */
export interface Line {
  /** The command without the program's name, such as `rollout status`. */
  readonly path: string;
  readonly args: readonly string[];
  readonly flags: GlobalFlags & Readonly<Record<string, unknown>>;
  /** The beginning of the word. */
  readonly toComplete: string;
}
/** Finds what is offered for a word. It need not consider how the word begins. */
export type Source = (line: Line) => Offer | Promise<Offer>;

/** Offers exactly these words. */
export const words = (values: readonly string[]): Offer => ({
  candidates: values.map((value) => ({ value })),
  directive: directives.noFiles,
});
export const nothing: Offer = words([]);
export const oneOf =
  (...values: readonly string[]): Source =>
  () =>
    words(values);
export const files: Source = () => ({ candidates: [], directive: directives.none });
export const folders: Source = () => ({ candidates: [], directive: directives.folders });
export const manifests: Source = () => ({ ...words(["json", "yaml", "yml"]), directive: directives.extensions });

/** Offers what follows the last comma of a list, such as `get,list`, each value once. */
export const commaSeparated =
  (source: Source): Source =>
  async (line) => {
    const listed = line.toComplete.split(",").slice(0, -1);
    const { candidates, directive } = await source(line);
    const prefix = listed.map((value) => `${value},`).join("");
    const others = candidates.filter(({ value }) => !listed.includes(value));
    return { directive, candidates: others.map((c) => ({ ...c, value: prefix + c.value })) };
  };
