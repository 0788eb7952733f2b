// The mount table: what is mounted where, also at paths with spaces, and below a folder.
import { expect, test } from "vitest";
import { mountEntries, mountsBelow } from "../../../machinery/mount-table.ts";

test("the mount table has the same content for the same folder of a device, and paths with spaces", () => {
  const text = [
    "36 35 7:0 / /var/lib/a/globalmount rw,relatime shared:1 - ext4 /dev/loop0 rw",
    "37 35 7:0 / /pods/with\\040space rw,relatime - ext4 /dev/loop0 rw",
    "38 35 8:1 /data /pods/b ro - ext4 /dev/sda1 rw",
    "",
  ].join("\n");
  expect(mountEntries(text)).toEqual([
    { content: "7:0 /", target: "/var/lib/a/globalmount", source: "/dev/loop0" },
    { content: "7:0 /", target: "/pods/with space", source: "/dev/loop0" },
    { content: "8:1 /data", target: "/pods/b", source: "/dev/sda1" },
  ]);
});

test("mount points at and below a folder, innermost first", () => {
  const targets = ["/s/pods/u1/v", "/s/pods/u1/v/in", "/s/pods/u12"];
  const text = targets.map((target) => `36 35 0:1 / ${target} rw - tmpfs tmpfs rw\n`).join("");
  expect(mountsBelow(mountEntries(text), "/s/pods/u1")).toEqual(["/s/pods/u1/v/in", "/s/pods/u1/v"]);
});
