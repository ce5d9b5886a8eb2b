"""Link as pages: the script that apps load, the frame that it opens, and pages of their own."""
