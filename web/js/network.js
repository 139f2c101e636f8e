// What the network sees: its layers' feature maps, and what the answer hangs on.

/** Shows what the model's card tells. */
export function showCard(card) {}

/** Shows a new answer. */
export function showAnswer(answer, drawing) {}

/** Nothing is drawn. */
export function showBlank() {}
