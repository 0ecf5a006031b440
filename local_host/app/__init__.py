"""What is the app that this host runs, and how is a function of it called?"""
