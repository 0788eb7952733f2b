// Names of containers and ports, derived from images and port pairs.

/** The characters of generated suffixes, which cannot form words. */
const alphabet = "bcdfghjklmnpqrstvwxz2456789";

/** A random suffix of five characters. */
export const randomSuffix = (random: () => number): string =>
  Array.from({ length: 5 }, () => alphabet[Math.floor(random() * alphabet.length)]).join("");

/** The last part of an image's path, without tag and digest. Characters that names cannot have make it unique. */
export function containerNameOf(image: string, random: () => number): string {
  const last = image.split("/").at(-1)!;
  const name = last.split("@")[0]!.split(":")[0]!;
  if (!/[_.]/.test(name)) return name;
  return `${name.replaceAll(/[_.]/g, "-")}-${randomSuffix(random)}`;
}
