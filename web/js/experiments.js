// The table of experiments, from the model's card.

/** Shows what the model's card tells. */
export function showCard(card) {}

/** Shows a new answer. */
export function showAnswer(answer, drawing) {}

/** Nothing is drawn. */
export function showBlank() {}
