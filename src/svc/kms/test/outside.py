"""Imported key material and multi-Region keys."""
import datetime
import hashlib
import hmac
import os

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding
from scenario import check, refused, same


def oaep(name):
    h = hashes.SHA1() if name.endswith("_SHA_1") else hashes.SHA256()
    return padding.OAEP(padding.MGF1(type(h)()), h, None)


def wrapped(kms, key, material, how="RSAES_OAEP_SHA_256", spec="RSA_2048"):
    p = kms.get_parameters_for_import(KeyId=key, WrappingAlgorithm=how, WrappingKeySpec=spec)
    public = serialization.load_der_public_key(p["PublicKey"])
    if how.startswith("RSA_AES"):
        inner = os.urandom(32)
        sealed = public.encrypt(inner, oaep(how)) + aes_key_wrap_with_padding(inner, material)
    else:
        sealed = public.encrypt(material, oaep(how))
    return dict(KeyId=key, ImportToken=p["ImportToken"], EncryptedKeyMaterial=sealed)


def test_material_comes_goes_and_comes_again(server):
    kms = server.client("kms")
    meta = kms.create_key(Origin="EXTERNAL")["KeyMetadata"]
    key = meta["KeyId"]
    same((meta["KeyState"], meta["Enabled"], meta["Origin"]), ("PendingImport", False, "EXTERNAL"))
    same(refused("KMSInvalidStateException", kms.encrypt, KeyId=key, Plaintext=b"x"),
         f"{meta['Arn']} is pending import.")
    material = os.urandom(32)
    for how in ("RSAES_OAEP_SHA_256", "RSAES_OAEP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256", "RSA_AES_KEY_WRAP_SHA_1"):
        request = wrapped(kms, key, material, how, "RSA_3072")
        same(refused("ValidationException", kms.import_key_material, **request),
             "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES")
        kms.import_key_material(ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE", **request)
        meta = kms.describe_key(KeyId=key)["KeyMetadata"]
        same((meta["KeyState"], meta["ExpirationModel"]), ("Enabled", "KEY_MATERIAL_DOES_NOT_EXPIRE"))
        sealed = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
        kms.delete_imported_key_material(KeyId=key)
        same("ExpirationModel" in kms.describe_key(KeyId=key)["KeyMetadata"], False)
        refused("KMSInvalidStateException", kms.decrypt, CiphertextBlob=sealed)
    forever = dict(ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE")
    refused("IncorrectKeyMaterialException", kms.import_key_material, **wrapped(kms, key, os.urandom(32)), **forever)
    refused("IncorrectKeyMaterialException", kms.import_key_material, **wrapped(kms, key, b"short"), **forever)
    torn = wrapped(kms, key, material)
    refused("InvalidImportTokenException", kms.import_key_material, **{**torn, "ImportToken": b"no"}, **forever)
    refused("InvalidCiphertextException", kms.import_key_material, **{**torn, "EncryptedKeyMaterial": b"no"}, **forever)
    kms.import_key_material(**torn, **forever)
    same(kms.decrypt(CiphertextBlob=sealed)["Plaintext"], b"x")
    refused("UnsupportedOperationException", kms.enable_key_rotation, KeyId=key)
    refused("KMSInvalidStateException", kms.rotate_key_on_demand, KeyId=key)
    kms.import_key_material(ImportType="NEW_KEY_MATERIAL", **wrapped(kms, key, os.urandom(32)), **forever)
    kms.rotate_key_on_demand(KeyId=key)
    same(kms.decrypt(CiphertextBlob=sealed)["Plaintext"], b"x")
    check(kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"][:39] != sealed[:39])
    old = wrapped(kms, key, material)
    server.advance("25h")
    refused("ExpiredImportTokenException", kms.import_key_material, **old, **forever)
    ours = kms.create_key()["KeyMetadata"]
    same(refused("UnsupportedOperationException", kms.get_parameters_for_import, KeyId=ours["KeyId"],
                 WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"),
         f"{ours['Arn']} origin is AWS_KMS which is not valid for this operation.")


def test_material_expires_on_the_clock(server):
    kms = server.client("kms")
    key = kms.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
    now = kms.create_key()["KeyMetadata"]["CreationDate"]
    kms.import_key_material(ValidTo=now + datetime.timedelta(days=40), **wrapped(kms, key, os.urandom(32)))
    same(kms.describe_key(KeyId=key)["KeyMetadata"]["ExpirationModel"], "KEY_MATERIAL_EXPIRES")
    server.advance("41d")
    same(kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"], "PendingImport")


def test_pairs_and_macs_from_outside(server):
    kms = server.client("kms")
    forever = dict(ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE")
    key = kms.create_key(Origin="EXTERNAL", KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]

    def der(pair):
        return pair.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8,
                                  serialization.NoEncryption())
    wrong = der(ec.generate_private_key(ec.SECP384R1()))
    refused("IncorrectKeyMaterialException", kms.import_key_material,
            **wrapped(kms, key, wrong, "RSA_AES_KEY_WRAP_SHA_256"), **forever)
    pair = ec.generate_private_key(ec.SECP256R1())
    kms.import_key_material(**wrapped(kms, key, der(pair), "RSA_AES_KEY_WRAP_SHA_256"), **forever)
    signature = kms.sign(KeyId=key, Message=b"m", SigningAlgorithm="ECDSA_SHA_256")["Signature"]
    pair.public_key().verify(signature, b"m", ec.ECDSA(hashes.SHA256()))
    mac = kms.create_key(Origin="EXTERNAL", KeySpec="HMAC_512", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["KeyId"]
    refused("IncorrectKeyMaterialException", kms.import_key_material, **wrapped(kms, mac, b"x" * 32), **forever)
    kms.import_key_material(**wrapped(kms, mac, b"x" * 64), **forever)
    same(kms.generate_mac(KeyId=mac, Message=b"m", MacAlgorithm="HMAC_SHA_512")["Mac"],
         hmac.new(b"x" * 64, b"m", hashlib.sha512).digest())


def test_one_key_in_two_regions(server):
    here, there = server.client("kms"), server.client("kms", region="ap-southeast-1")
    plain = here.create_key()["KeyMetadata"]["KeyId"]
    refused("UnsupportedOperationException", here.replicate_key, KeyId=plain, ReplicaRegion="ap-southeast-1")
    meta = here.create_key(MultiRegion=True, Description="first")["KeyMetadata"]
    key = meta["KeyId"]
    check(key.startswith("mrk-") and len(key) == 36, key)
    same(meta["MultiRegionConfiguration"]["ReplicaKeys"], [])
    refused("NotFoundException", there.describe_key, KeyId=key)
    replica = here.replicate_key(KeyId=key, ReplicaRegion="ap-southeast-1")["ReplicaKeyMetadata"]
    same((replica["MultiRegionConfiguration"]["MultiRegionKeyType"], replica["Description"], replica["KeyId"]),
         ("REPLICA", "", key))
    refused("AlreadyExistsException", here.replicate_key, KeyId=key, ReplicaRegion="ap-southeast-1")
    refused("UnsupportedOperationException", there.replicate_key, KeyId=key, ReplicaRegion="eu-west-1")
    refused("UnsupportedOperationException", there.enable_key_rotation, KeyId=key)
    sealed = here.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"a": "b"})["CiphertextBlob"]
    same(there.decrypt(CiphertextBlob=sealed, EncryptionContext={"a": "b"})["Plaintext"], b"x")
    here.rotate_key_on_demand(KeyId=key)
    back = there.encrypt(KeyId=key, Plaintext=b"y")["CiphertextBlob"]
    same((here.decrypt(CiphertextBlob=back)["Plaintext"], there.decrypt(
        CiphertextBlob=sealed, EncryptionContext={"a": "b"})["Plaintext"]), (b"y", b"x"))
    here.update_primary_region(KeyId=key, PrimaryRegion="ap-southeast-1")
    same(here.describe_key(KeyId=key)["KeyMetadata"]["MultiRegionConfiguration"]["PrimaryKey"]["Region"],
         "ap-southeast-1")
    waiting = there.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    same((waiting["KeyState"], "DeletionDate" in waiting), ("PendingReplicaDeletion", False))
    here.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    server.advance("8d")
    same(there.describe_key(KeyId=key)["KeyMetadata"]["KeyState"], "PendingDeletion")
    server.advance("8d")
    refused("NotFoundException", there.describe_key, KeyId=key)
