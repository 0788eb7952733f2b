// What an image's name says of it.

/** `docker.io/library/nginx` is `nginx:latest`: without a tag, or with that one, the image may have moved on. */
export function pullPolicy(image: string | undefined): "Always" | "IfNotPresent" {
  const name = image ?? "";
  if (name.includes("@")) return "IfNotPresent";
  const tag = /:([^/:]+)$/.exec(name)?.[1] ?? "latest";
  return tag === "latest" ? "Always" : "IfNotPresent";
}
