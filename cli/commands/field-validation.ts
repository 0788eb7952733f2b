// The flag `--validate`: what the server does about unknown and duplicate fields (KEP-2885).
import { Option } from "commander";
import { CliError } from "../cli-error.ts";

const values: Readonly<Record<string, "Strict" | "Warn" | "Ignore">> = {
  strict: "Strict",
  true: "Strict",
  warn: "Warn",
  ignore: "Ignore",
  false: "Ignore",
};

/** `--validate[=strict|warn|ignore]`. */
export const validateOption = (): Option =>
  new Option(
    "--validate [how]",
    "strict refuses unknown fields, warn accepts them with a warning, ignore drops them",
  ).preset("strict");

/** The query parameter `fieldValidation`. Throws CliError in kubectl's words. */
export function fieldValidationOf(text = "strict"): "Strict" | "Warn" | "Ignore" {
  const value = values[text.toLowerCase()];
  if (value) return value;
  throw new CliError(
    `invalid - validate option ${JSON.stringify(text)}; must be one of: strict (or true), warn, ignore (or false)`,
  );
}
