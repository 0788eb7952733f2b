// The paths of cp, as kubectl 1.36 understands them.
import { relative } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { copyOf, fileSpec, packCommand, placeOf, prefixOf, remotePlace } from "../../../../cli/client/copy-paths.ts";

test.each([
  ["a", undefined, undefined, "a"],
  ["dir/", undefined, undefined, "dir"],
  ["/", undefined, undefined, "/"],
  ["web:/tmp/x", undefined, "web", "/tmp/x"],
  ["web:/tmp/x/", undefined, "web", "/tmp/x"],
  ["ns/web:x", "ns", "web", "x"],
  ["ns:web:x", undefined, "ns", "web:x"],
  [String.raw`web:C:\logs`, undefined, "web", "C:/logs"],
])("%s", (text, namespace, pod, path) => expect(fileSpec(text)).toEqual({ namespace, pod, path }));

const format = "filespec must match the canonical format: [[namespace/]pod:]file/path";
test.each([
  ["", "source and destination are required"],
  ["a", "source and destination are required"],
  ["a web:b c", "source and destination are required"],
  ["a b", "one of src or dest must be a remote file specification"],
  ["a:b c:d", "one of src or dest must be a local file specification"],
  [":a b", format],
  ["a/b/c:d e", format],
  ["web: x", "filepath can not be empty"],
  ["x web:", "filepath can not be empty"],
])("cp %s", (typed, message) => expect(() => copyOf(typed.split(" ").filter((word) => word))).toThrow(message));

test.each([
  ["/tmp/src", "tmp/src"],
  ["tmp/src", "tmp/src"],
  ["/tmp/src/.", "tmp/src"],
  ["../../tmp", "tmp"],
  ["/tmp/src/..", "tmp"],
  [".", ""],
  ["//tmp", "tmp"],
])("the archive of %s begins with %s", (path, prefix) => expect(prefixOf(path)).toBe(prefix));

// What kubectl did with these names for `cp web:/tmp/e c`.
test.each([
  ["tmp/e/ok", "c/ok"],
  ["tmp/e", "c"],
  ["tmp/e/dir/", "c/dir"],
  ["tmp/e/a/../b/./c", "c/b/c"],
  ["tmp/eXtra", "c/Xtra"],
  ["tmp/e/../../outside1", undefined],
  ["tmp/e/../../../outside2", undefined],
  ["tmp/e/sub/../../../../outside3", undefined],
  [String.raw`tmp/e/..\..\back`, undefined],
])("%s goes to %s", (name, place) => expect(placeOf(name, "tmp/e", "c")).toBe(place));
test("a name without the prefix is none that tar would write", () =>
  expect(() => placeOf("../x", "tmp/e", "c")).toThrow("tar contents corrupted"));

test("no name leads out of the destination", () => {
  const part = fc.constantFrom("..", ".", "", "a", "b c", "\\", "...", "..\\..", "/");
  const property = fc.property(fc.array(part), fc.constantFrom("c", "/c/d", ".", "../c", "/"), (parts, destination) => {
    const place = placeOf(`tmp/e/${parts.join("/")}`, "tmp/e", destination);
    expect(place === undefined || !/^\.\.(\/|$)/.test(relative(destination, place))).toBe(true);
  });
  fc.assert(property, { seed: 7 });
});

test.each([
  ["src", "/tmp", true, "/tmp/src"],
  ["src/", "/tmp", true, "/tmp/src"],
  ["a/b", "/tmp/x", false, "/tmp/x"],
  [".", "/tmp/x", true, "/tmp/x"],
])("%s into %s", (from, to, isFolder, place) => expect(remotePlace(from, to, isFolder)).toBe(place));

test("a copy that is resumed skips what is there", () => {
  expect(packCommand("/a b", 0)).toEqual(["tar", "cf", "-", "/a b"]);
  expect(packCommand("/it's", 10)).toEqual(["sh", "-c", String.raw`tar cf - '/it'\''s' | tail -c+11`]);
});
