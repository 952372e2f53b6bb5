print("sami")
