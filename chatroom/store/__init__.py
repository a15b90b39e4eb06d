"""The collections, as typed values: pymongo is used here and nowhere else."""
