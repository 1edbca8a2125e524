"""The apps in this folder are subjects of tests: their own tests run only inside copies of them."""

collect_ignore_glob = ["*"]
