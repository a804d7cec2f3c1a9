// Uses an add-on as Stremio's own apps do: argument 1 is the URL of its manifest, argument 2 a list of requests as JSON.
// Prints what the official linter says of the manifest, and the responses.
const client = require('stremio-addon-client')
const linter = require('stremio-addon-linter')

async function main () {
  const { addon } = await client.detectFromURL(process.argv[2])
  const lint = linter.lintManifest(addon.manifest)
  const responses = []
  for (const request of JSON.parse(process.argv[3])) {
    if (!addon.isSupported(...request.slice(0, 3))) throw new Error(`not in the manifest: ${request}`)
    responses.push(await addon.get(...request))
  }
  const texts = (errors) => errors.map((error) => error.message)
  console.log(JSON.stringify({ errors: texts(lint.errors), warnings: texts(lint.warnings), responses }))
}

main().catch((error) => { console.error(error); process.exit(1) })
