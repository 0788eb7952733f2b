// What the query string may say, read once into options.
import { ApiError } from "../../api/errors.ts";

/** Absence is no, and so are "0" and "false"; everything else, nothing included, is yes. */
export function flag(query: URLSearchParams, name: string): boolean {
  const given = query.get(name);
  return given !== null && given !== "0" && given.toLowerCase() !== "false";
}

/** A whole number, when one is given. */
export function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const given = query.get(name);
  if (given === null) return undefined;
  const refused = (because: string): ApiError =>
    new ApiError("BadRequest", `strconv.ParseInt: parsing ${JSON.stringify(given)}: ${because}`);
  if (!/^[+-]?\d+$/.test(given)) throw refused("invalid syntax");
  if (BigInt.asIntN(64, BigInt(given.replace("+", ""))) !== BigInt(given.replace("+", "")))
    throw refused("value out of range");
  return Number(given);
}
