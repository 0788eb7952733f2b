// Names of attributes and capacities of devices: C identifiers, below the domain of their driver or of another one.
import type { Problem } from "../errors.ts";
import { validateDriverName } from "../names.ts";
import { invalid, none, required, together, tooLong } from "../problems.ts";

const longestId = 32;
const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/;
const identifierMessage =
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')";

function validateId(id: string, path: string): readonly Problem[] {
  if (id.length > longestId) return [tooLong(path, longestId)];
  return identifier.test(id) ? none : [invalid(path, id, identifierMessage)];
}

/** `memory`, which is the driver's own, or `gpu.example.com/memory`. */
export function validateQualifiedDeviceName(name: string, path: string): readonly Problem[] {
  if (name === "") return [required(path, "name required")];
  const [first = "", second, ...rest] = name.split("/");
  if (second === undefined) return validateId(first, path);
  if (rest.length > 0) return [invalid(path, name, "must be either a single name or a <domain>/<name> pair")];
  return together(
    first === "" ? required(path, "the domain must not be empty") : validateDriverName(first, path),
    second === "" ? required(path, "the name must not be empty") : validateId(second, path),
  );
}

/** `gpu.example.com/memory`. */
export const validateFullDeviceName = (name: string, path: string): readonly Problem[] =>
  together(
    validateQualifiedDeviceName(name, path),
    name !== "" && !name.includes("/") && invalid(path, name, "must include a domain"),
  );
