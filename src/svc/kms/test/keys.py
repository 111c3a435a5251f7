from scenario import check, refused, same


def test_encrypt_and_decrypt(server):
    kms = server.client("kms")
    key = kms.create_key(Description="mine")["KeyMetadata"]
    same((key["KeyState"], key["Enabled"], key["KeyManager"]), ("Enabled", True, "CUSTOMER"))
    sealed = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"hush", EncryptionContext={"a": "1", "b": "2"})
    check(b"hush" not in sealed["CiphertextBlob"])
    opened = kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext={"b": "2", "a": "1"})
    same((opened["Plaintext"], opened["KeyId"]), (b"hush", key["Arn"]))
    refused("InvalidCiphertextException", kms.decrypt, CiphertextBlob=sealed["CiphertextBlob"])
    broken = bytearray(sealed["CiphertextBlob"])
    broken[-1] ^= 1
    refused("InvalidCiphertextException", kms.decrypt, CiphertextBlob=bytes(broken),
            EncryptionContext={"a": "1", "b": "2"})


def test_data_key_and_alias(server):
    kms = server.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/app", TargetKeyId=key)
    refused("AlreadyExistsException", kms.create_alias, AliasName="alias/app", TargetKeyId=key)
    made = kms.generate_data_key(KeyId="alias/app", KeySpec="AES_256")
    same(len(made["Plaintext"]), 32)
    same(kms.decrypt(CiphertextBlob=made["CiphertextBlob"])["Plaintext"], made["Plaintext"])
    check("alias/app" in [a["AliasName"] for a in kms.list_aliases()["Aliases"]])
    kms.delete_alias(AliasName="alias/app")
    refused("NotFoundException", kms.describe_key, KeyId="alias/app")


def test_states(server):
    kms = server.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    sealed = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    kms.disable_key(KeyId=key)
    refused("DisabledException", kms.encrypt, KeyId=key, Plaintext=b"x")
    kms.enable_key(KeyId=key)
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    refused("KMSInvalidStateException", kms.decrypt, CiphertextBlob=sealed)
    kms.cancel_key_deletion(KeyId=key)
    kms.enable_key(KeyId=key)
    same(kms.decrypt(CiphertextBlob=sealed)["Plaintext"], b"x")
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    server.advance("8d")
    refused("NotFoundException", kms.describe_key, KeyId=key)


def test_what_is_not_here_says_so(server):
    kms = server.client("kms")
    for what in (dict(MultiRegion=True), dict(Origin="EXTERNAL")):
        message = refused("NotImplementedException", kms.create_key, **what)
        check("Farthing's KMS" in message, message)
    refused("UnsupportedOperationException", kms.create_key, KeySpec="SM2", KeyUsage="SIGN_VERIFY")
    message = refused("NotImplementedException", kms.replicate_key, KeyId="x", ReplicaRegion="us-west-2")
    check("kms:ReplicateKey" in message, message)
