// From ink to tensor: each stage of the preprocessing on the visitor's own ink.

/** Shows what the model's card tells. */
export function showCard(card) {}

/** Shows a new answer. */
export function showAnswer(answer, drawing) {}

/** Nothing is drawn. */
export function showBlank() {}
