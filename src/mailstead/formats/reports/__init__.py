"""Reports about mail: DMARC aggregate reports (RFC 7489), TLS reports (RFC 8460), abuse reports (RFC 5965).

Written and read, the latter as hostile input: archives are bounded, XML has neither DTD nor entities of its own.
"""
