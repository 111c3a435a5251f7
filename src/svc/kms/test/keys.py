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
    message = refused("NotImplementedException", kms.create_key, Origin="AWS_CLOUDHSM")
    check("custom key stores" in message, message)
    same(kms.describe_custom_key_stores()["CustomKeyStores"], [])
    refused("CustomKeyStoreNotFoundException", kms.describe_custom_key_stores, CustomKeyStoreName="x")
    refused("UnsupportedOperationException", kms.create_key, KeySpec="SM2", KeyUsage="SIGN_VERIFY")
    message = refused("UnsupportedOperationException", kms.create_key, KeySpec="ML_DSA_65", KeyUsage="SIGN_VERIFY")
    check("ML_DSA_65" in message, message)


def test_words(server):
    kms = server.client("kms")
    key = kms.create_key(Tags=[{"TagKey": "a", "TagValue": "1"}])["KeyMetadata"]["KeyId"]
    same(refused("NotFoundException", kms.describe_key, KeyId="fake-key-id"), "Invalid keyId 'fake-key-id'")
    same(refused("ValidationException", kms.create_alias, AliasName="x", TargetKeyId=key)[:47],
         'Alias must start with the prefix "alias/". Plea')
    refused("NotAuthorizedException", kms.create_alias, AliasName="alias/aws/x", TargetKeyId=key)
    kms.create_alias(AliasName="alias/words", TargetKeyId=key)
    refused("ValidationException", kms.create_alias, AliasName="alias/b", TargetKeyId="alias/words")
    tag = {"TagKey": "k", "TagValue": "v"}
    same(refused("TagException", kms.tag_resource, KeyId=key, Tags=[tag, tag]), "Duplicate tag keys")
    same(refused("TagException", kms.tag_resource, KeyId=key, Tags=[{"TagKey": "aws:k", "TagValue": "v"}]),
         "Tags beginning with aws: are reserved")
    kms.tag_resource(KeyId=key, Tags=[tag, {"TagKey": "a", "TagValue": "2"}])
    first = kms.list_resource_tags(KeyId=key, Limit=1)
    same((first["Tags"], first["Truncated"]), ([{"TagKey": "a", "TagValue": "2"}], True))
    same(kms.list_resource_tags(KeyId=key, Marker=first["NextMarker"])["Tags"], [tag])
    same(refused("ValidationException", kms.generate_random), "NumberOfBytes is required.")
    refused("MalformedPolicyDocumentException", kms.put_key_policy, KeyId=key, Policy="{}")
    other = """{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*",
               "Principal": {"AWS": "arn:aws:iam::999999999999:user/else"}}]}"""
    same(refused("MalformedPolicyDocumentException", kms.put_key_policy, KeyId=key, Policy=other),
         "The new key policy will not allow you to update the key policy in the future.")
    kms.put_key_policy(KeyId=key, Policy=other, BypassPolicyLockoutSafetyCheck=True)


def test_dry_runs_check_and_do_nothing(server):
    kms = server.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    for call, more in ((kms.encrypt, dict(Plaintext=b"x")), (kms.generate_data_key, dict(KeySpec="AES_256")),
                       (kms.create_grant, dict(GranteePrincipal="arn:aws:iam::000000000000:root",
                                               Operations=["Decrypt"]))):
        refused("DryRunOperationException", call, KeyId=key, DryRun=True, **more)
    same(kms.list_grants(KeyId=key)["Grants"], [])
    refused("NotFoundException", kms.encrypt, KeyId="alias/none", Plaintext=b"x", DryRun=True)


def test_what_takes_no_alias(server):
    kms = server.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/not-a-key", TargetKeyId=key)
    for call, more in ((kms.enable_key_rotation, {}), (kms.disable_key, {}), (kms.schedule_key_deletion, {}),
                       (kms.get_key_policy, {}), (kms.list_grants, {}), (kms.get_key_rotation_status, {}),
                       (kms.put_key_policy, {"Policy": "{}"}), (kms.list_resource_tags, {}),
                       (kms.tag_resource, {"Tags": [{"TagKey": "a", "TagValue": "b"}]})):
        same(refused("NotFoundException", call, KeyId="alias/not-a-key", **more), "Invalid keyId 'alias/not-a-key'")
    same(kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"], False)
    same(kms.describe_key(KeyId="alias/not-a-key")["KeyMetadata"]["KeyId"], key)
