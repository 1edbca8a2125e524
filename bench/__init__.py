"""One script per published figure; `site` runs the bundled site in a scratch folder, for benches and tests."""
