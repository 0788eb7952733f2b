// What the shop sells. The catalogue and the stock begin with it, and the check computes from it what must be left.
export interface Product {
  readonly id: string;
  readonly name: string;
  /** In cents. */
  readonly price: number;
  /** How many there are at first. */
  readonly count: number;
}

export const products: readonly Product[] = [
  { id: "almanac", name: "Almanac for a year", price: 1200, count: 1_000_000 },
  { id: "compass", name: "Compass", price: 2500, count: 1_000_000 },
  { id: "globe", name: "Celestial globe", price: 9900, count: 1_000_000 },
  { id: "sundial", name: "Sundial", price: 4300, count: 1_000_000 },
  { id: "telescope", name: "Telescope, which most cannot pay", price: 60_000, count: 1_000_000 },
  { id: "astrolabe", name: "Astrolabe, of which there are few", price: 7000, count: 20 },
];

/** Product ids and how many of each. */
export type Items = Readonly<Record<string, number>>;

/** Rows of SQL values: `('almanac', 1200), ...`. Names have no quotes. */
export const rowsOf = (...fields: readonly (keyof Product)[]): string =>
  products.map((product) => `(${fields.map((field) => `'${product[field]}'`).join(", ")})`).join(", ");
