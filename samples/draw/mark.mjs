// The graphic among the photographs: a round sticker with a sun and hills made of halftone dots, as SVG without any text.

/** An SVG of `size` pixels, transparent outside the circle. */
export function halftoneMark(size) {
  const c = 450, pitch = 22, dots = { sun: [], hill: [] };
  for (let row = -24; row <= 24; row++) {
    for (let column = -24; column <= 24; column++) {
      // A screen turned by 45 degrees, as printers do for black.
      const x = c + (column + row) * pitch * Math.SQRT1_2, y = c + (row - column) * pitch * Math.SQRT1_2;
      const fromMiddle = Math.hypot(x - c, y - c);
      if (fromMiddle > 392) continue;
      const fromSun = Math.hypot(x - 450, y - 380);
      const ridge = 560 + 46 * Math.sin(x / 105 + 0.6) + 18 * Math.sin(x / 41);
      if (y > ridge) dots.hill.push([x, y, 4.2 + 9.5 * Math.min((y - ridge) / 260, 1)]);
      else if (fromSun < 215) dots.sun.push([x, y, 13.6 - 10.2 * (fromSun / 215)]);
    }
  }
  const circles = (list) => list.map(([x, y, r]) => `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${r.toFixed(2)}"/>`).join("");
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}" viewBox="0 0 900 900">
<circle cx="450" cy="450" r="440" fill="#fff"/>
<circle cx="450" cy="450" r="418" fill="#17324d"/>
<circle cx="450" cy="450" r="404" fill="#f6ead7"/>
<g fill="#e4572e">${circles(dots.sun)}</g>
<g fill="#17324d">${circles(dots.hill)}</g>
</svg>`;
}
