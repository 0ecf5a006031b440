"""How the data folder in `9e4d491/` was made. This package runs on commit 9e4d491 and on no other."""
