"""Ask many drawings in the page, of the service or of the browser."""

SERVICE, BROWSER = "js/service/predict.js", "js/local/client.js"

ASK = """async ([module, drawings]) => {
  const load = (name) => import(new URL(name, document.baseURI));
  const { predict } = await load(module);
  const { strokesRequest } = await load("js/service/predict.js");
  const answers = [];
  for (const strokes of drawings) answers.push(await predict({ strokes, request: () => strokesRequest(strokes) }));
  return answers;
}"""
