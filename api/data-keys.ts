// What the keys of a ConfigMap or a Secret may look like: they become the names of files.
import type { Problem } from "./errors.ts";
import { invalid } from "./problems.ts";

const form = /^[-._a-zA-Z0-9]+$/;
const longest = 253;
const formMessage =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

function upwards(key: string): string | undefined {
  if (key === "." || key === "..") return `must not be '${key}'`;
  return key.startsWith("..") ? "must not start with '..'" : undefined;
}

/** What is wrong with a key. */
export const validateDataKey = (key: string, path: string): readonly Problem[] =>
  [
    key.length > longest ? `must be no more than ${longest} characters` : undefined,
    form.test(key) ? undefined : formMessage,
    upwards(key),
  ].flatMap((message) => (message === undefined ? [] : [invalid(path, key, message)]));
