// Formats of OpenAPI by which texts of custom resources are validated. Other formats are documentation. Source: the
// custom resources page, "Validation", and RFC 3339, 4122, 5322 and 1123.
import { parseAddress, parseBlock } from "./addresses.ts";
import { canonicalTime } from "./times.ts";

const uuid = (version: string): RegExp =>
  new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$`, "i");
const matching =
  (pattern: RegExp) =>
  (text: string): boolean =>
    pattern.test(text);

function isDate(text: string): boolean {
  const time = Date.parse(`${text}T00:00:00Z`);
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

/** Whether a text has a format. */
export const openApiFormats: Readonly<Record<string, (text: string) => boolean>> = {
  "date-time": (text) => canonicalTime(text, "date-time") !== undefined,
  date: isDate,
  duration: matching(/^\s*-?(\d+(\.\d*)?|\.\d+)\s*[a-zµ]+(\s*(\d+(\.\d*)?|\.\d+)\s*[a-zµ]+)*\s*$|^0$/i),
  byte: matching(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/),
  email: matching(/^[^\s@<>()[\],;:\\"]+@[^\s@]+$/),
  hostname: matching(/^(?=.{1,255}$)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*\.?$/i),
  ipv4: (text) => parseAddress(text)?.bits === 32,
  ipv6: (text) => parseAddress(text)?.bits === 128,
  cidr: (text) => parseBlock(text) !== undefined,
  mac: matching(/^([0-9a-f]{2}([-:]))([0-9a-f]{2}\2){4}[0-9a-f]{2}$/i),
  uri: (text) => URL.canParse(text) || text.startsWith("/"),
  uuid: matching(uuid("[0-9a-f]")),
  uuid3: matching(uuid("3")),
  uuid4: matching(uuid("4")),
  uuid5: matching(uuid("5")),
  hexcolor: matching(/^#?([0-9a-f]{3}|[0-9a-f]{6})$/i),
  bsonobjectid: matching(/^[0-9a-f]{24}$/i),
};
