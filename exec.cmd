@rem What sh has built in, for the scripts of package.json: here there is no shell in between to be rid of.
@%*
