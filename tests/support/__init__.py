"""What several kinds of tests share. Importing it starts nothing."""
