export const MIN_PASSWORD = 12;
/** From here on length alone defeats guessing. */
const LONG = 20;

export interface Strength {
  words: string;
  level: 'short' | 'weak' | 'good' | 'strong';
}

/** A hint, not a judge: the server asks for length only. */
export function strength(password: string): Strength {
  const length = [...password].length;
  if (length === 0)
    return { level: 'short', words: 'At least 12 characters. A few unrelated words make a good one.' };
  if (length < MIN_PASSWORD) {
    const missing = MIN_PASSWORD - length;
    return { level: 'short', words: `${missing} more ${missing === 1 ? 'character' : 'characters'} to go.` };
  }
  // Repetition and counting add length without adding work for a guesser.
  const distinct = new Set(password.toLowerCase()).size;
  if (distinct < 6)
    return { level: 'weak', words: 'Long enough, but easy to guess: use more different characters.' };
  if (length < LONG) return { level: 'good', words: 'Good. Another word would make it stronger still.' };
  return { level: 'strong', words: 'Strong.' };
}
