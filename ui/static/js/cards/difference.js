// Which words of two texts have no counterpart in the other.

// A table of so many words squared takes 18 MB and about as long as a blink.
const WORDS_MAX = 3_000;

/** { compared, sides }: a list of { text, differs } per text, by the longest common run of words.
 *  Texts that are too long are not compared, and nothing in them is marked. */
export function marked(left, right) {
  const [a, b] = [words(left), words(right)];
  const compared = a.length <= WORDS_MAX && b.length <= WORDS_MAX;
  const sides = [plain(a, compared), plain(b, compared)];
  if (compared) findCommon(a.map(bare), b.map(bare), sides);
  return { compared, sides };
}

const words = (text) => String(text ?? "").split(/\s+/).filter(Boolean);
const plain = (list, differs) => list.map((text) => ({ text, differs }));
const bare = (word) => word.toLowerCase().replace(/[.,;:!?"'()]/g, "");

function findCommon(a, b, [one, two]) {
  const common = table(a, b);
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) {
      one[i].differs = two[j].differs = false;
      i += 1;
      j += 1;
    } else if (common[i + 1][j] >= common[i][j + 1]) i += 1;
    else j += 1;
  }
}

function table(a, b) {
  const rows = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i -= 1) {
    const [row, below] = [rows[i], rows[i + 1]];
    for (let j = b.length - 1; j >= 0; j -= 1) {
      row[j] = a[i] === b[j] ? below[j + 1] + 1 : Math.max(below[j], row[j + 1]);
    }
  }
  return rows;
}
