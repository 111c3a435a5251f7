/* Tags of buckets, by their ARNs. They are the bucket's own (s3:PutBucketTagging), kept by S3. */
#include "control.h"
#include "base/text.h"
#include "cloud/tags.h"
#include "gen/s3.h"

static err no_such_resource(req *rq)
{
	return fail(rq, &control_NoSuchResource, "The specified resource doesn't exist.");
}

static bool is_fault(err e, const char *code)
{
	return e && strcmp(e->kind->code, code) == 0;
}

/* The bucket that the ARN names, and its tags. */
static err bucket_tags(req *rq, const txn *tx, str account, str arn, str *bucket, s3_TagSet *tags)
{
	*tags = (s3_TagSet){ 0 };
	TRY(control_account(rq, account));
	if (!str_starts(arn, S("arn:aws:s3:")))
		return fail(rq, &control_InvalidRequest, "Invalid resource ARN");
	if (!str_starts(arn, S("arn:aws:s3:::")))
		return fail(rq, &aws_NotImplemented, "Farthing keeps tags of buckets here, not of %.*s.",
		            STR_ARG(arn));
	*bucket = str_sub(arn, sizeof("arn:aws:s3:::") - 1, arn.n);
	req ask = control_ask_s3(rq);
	s3_GetBucketTagging_in in = { .Bucket = *bucket };
	s3_GetBucketTagging_out out;
	err e = call_read(&ask, tx, "s3", "GetBucketTagging", &in, &out);
	if (is_fault(e, "NoSuchBucket"))
		return no_such_resource(rq);
	if (is_fault(e, "NoSuchTagSet"))
		return OK;
	*tags = out.TagSet;
	return e;
}

/* Letters, digits and blanks of any language, and + - = . _ : / @ */
static bool tag_text(str s, size_t most)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80;
		if (!letter && (!c || !strchr(" +-=._:/@", c)))
			return false;
	}
	return utf8_length(s) <= most;
}

static err check_text(req *rq, const s3control_TagList *tags)
{
	for (size_t i = 0; i < tags->n; i++)
		if (!tags->v[i].Key.n || !tag_text(tags->v[i].Key, 128) || !tag_text(tags->v[i].Value, 256))
			return fail(rq, &control_InvalidTag,
			            "This request contains a tag key or value that isn't valid. Valid characters "
			            "include the following: [a-zA-Z+-=._:/]. Tag keys can contain up to 128 "
			            "characters. Tag values can contain up to 256 characters.");
	return OK;
}

static const tag_rules rules = {
	.most = S3CONTROL_TAGS_MAX,
	.too_many = { &control_InvalidTag, "A bucket can have up to 50 tags." },
	.twice = { &control_InvalidTag, "There are duplicate tag keys in your request. Remove the duplicate tag "
	                                "keys and try again." },
	.reserved = { &control_InvalidTag, "User-defined tag keys can't start with \"aws:\". This prefix is "
	                                   "reserved for system tags. Remove \"aws:\" from your tag keys and try "
	                                   "again." },
};

static err keep(req *rq, txn *tx, str bucket, const s3_TagSet *tags)
{
	req ask = control_ask_s3(rq);
	err e;
	if (tags->n) {
		s3_Tagging all = { .TagSet = *tags };
		s3_PutBucketTagging_in in = { .Bucket = bucket, .Tagging = &all };
		s3_PutBucketTagging_out none;
		e = call(&ask, tx, "s3", "PutBucketTagging", &in, &none);
	} else {
		s3_DeleteBucketTagging_in in = { .Bucket = bucket };
		s3_DeleteBucketTagging_out none;
		e = call(&ask, tx, "s3", "DeleteBucketTagging", &in, &none);
	}
	return e;
}

err s3control_TagResource(req *rq, txn *tx, const s3control_TagResource_in *in,
                          s3control_TagResource_out *out)
{
	str bucket;
	s3_TagSet tags;
	(void)out;
	TRY(bucket_tags(rq, tx, in->AccountId, in->ResourceArn, &bucket, &tags));
	TRY(check_text(rq, &in->Tags));
	TRY(tags_add(rq, &rules, TAGS(&tags, Key), TAGS(&in->Tags, Key)));
	return keep(rq, tx, bucket, &tags);
}

err s3control_UntagResource(req *rq, txn *tx, const s3control_UntagResource_in *in,
                            s3control_UntagResource_out *out)
{
	str bucket;
	s3_TagSet tags;
	(void)out;
	TRY(bucket_tags(rq, tx, in->AccountId, in->ResourceArn, &bucket, &tags));
	size_t before = tags.n;
	tags_drop(TAGS(&tags, Key), in->TagKeys.v, in->TagKeys.n);
	return tags.n == before ? OK : keep(rq, tx, bucket, &tags);
}

err s3control_ListTagsForResource(req *rq, const txn *tx, const s3control_ListTagsForResource_in *in,
                                  s3control_ListTagsForResource_out *out)
{
	str bucket;
	s3_TagSet tags;
	TRY(bucket_tags(rq, tx, in->AccountId, in->ResourceArn, &bucket, &tags));
	out->Tags = (s3control_TagList){ arena_array(rq->mem, s3control_Tag, tags.n + 1), tags.n };
	for (size_t i = 0; i < tags.n; i++)
		out->Tags.v[i] = (s3control_Tag){ .Key = tags.v[i].Key, .Value = tags.v[i].Value };
	return OK;
}
