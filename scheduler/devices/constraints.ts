// Constraints of a claim on its devices together: an attribute is the same for all of them, or different for each.
import type { Device, DeviceAttribute, DeviceConstraint } from "../../api/generated/types.ts";
import type { PoolDevice } from "./pools.ts";

/** Holds for the devices that were added. Once it does not hold, more devices do not help. */
export interface Constraint {
  /** Adds a device for a request, by its names, if the constraint still holds. */
  add(requestNames: readonly string[], device: PoolDevice): boolean;
  /** Removes the device that was added last. */
  remove(requestNames: readonly string[]): void;
}

function attributeOf({ attributes = {} }: Device, driver: string, name: string): DeviceAttribute | undefined {
  const [domain, id = ""] = name.split("/");
  return attributes[name] ?? (domain === driver ? attributes[id] : undefined);
}

/** Equal for equal values of the same type. */
const valueOfAttribute = ({ string, int, bool, version }: DeviceAttribute): string | undefined => {
  if (string !== undefined) return `string ${string}`;
  if (int !== undefined) return `int ${int}`;
  if (bool !== undefined) return `bool ${bool}`;
  return version === undefined ? undefined : `version ${version}`;
};

/** No device is added yet. */
export function constraintOf({ requests = [], matchAttribute, distinctAttribute }: DeviceConstraint): Constraint {
  const name = matchAttribute ?? distinctAttribute ?? "";
  const values: string[] = [];
  const concerns = (names: readonly string[]): boolean =>
    requests.length === 0 || names.some((request) => requests.includes(request));
  return {
    add(requestNames, { device, driver }) {
      if (!concerns(requestNames)) return true;
      const attribute = attributeOf(device, driver, name);
      const value = attribute && valueOfAttribute(attribute);
      if (value === undefined) return false;
      const isSame = values.includes(value);
      if (values.length > 0 && (matchAttribute === undefined ? isSame : !isSame)) return false;
      values.push(value);
      return true;
    },
    remove(requestNames) {
      if (concerns(requestNames)) values.pop();
    },
  };
}
