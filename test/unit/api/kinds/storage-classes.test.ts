// Classes of storage and of volume attributes: their drivers and parameters.
import { expect, test } from "vitest";
import { storageClasses, volumeAttributesClasses } from "../../../../api/storage/storageclasses.ts";
import { changes, messagesOf, refuses } from "./validation-cases.ts";

const driver = { driverName: "example.com/disks" };
const parameters = { iops: "100" };
const noParameters = "parameters: Required value: must contain at least one key/value pair";
refuses(storageClasses, [["no provisioner", {}, "provisioner: Required value"]]);
refuses(volumeAttributesClasses, [
  ["no driver", { parameters }, "driverName: Required value"],
  ["an empty driver", { driverName: "", parameters }, "driverName: Required value"],
  ["no parameters", driver, noParameters],
  ["an empty object", {}, "driverName: Required value", noParameters],
  [
    "a parameter without a name",
    { ...driver, parameters: { "": "1" } },
    'parameters: Invalid value: "": field can not be empty.',
  ],
]);
changes(volumeAttributesClasses, [
  ["an unchanged object is valid", { ...driver, parameters }, { ...driver, parameters }],
  [
    "a changed driver is refused",
    { ...driver, parameters },
    { driverName: "example.com/others", parameters },
    "driverName: Forbidden: updates to driverName are forbidden.",
  ],
]);

test("a class without defaults is refused without an exception", () => {
  const draft = { metadata: { name: "a" }, parameters } as never;
  expect(messagesOf(volumeAttributesClasses.validate(draft))).toEqual(["driverName: Required value"]);
});
