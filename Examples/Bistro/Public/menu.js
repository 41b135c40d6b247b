/** What the house has. */
export const menu = [
  { name: "Burger", detail: "with fries" },
  { name: "Steak frites", detail: "medium rare" },
  { name: "Margherita", detail: "wood-fired" },
  { name: "Risotto", detail: "wild mushrooms" },
  { name: "Onion soup", detail: "gratinated" },
  { name: "Caesar salad", detail: "with croutons" },
  { name: "Crème brûlée", detail: "vanilla" },
  { name: "Lemonade", detail: "homemade" },
];
