/* What bears tags, and how they are read and changed. */
#include "cloud/tagged.h"

TAGGED(cognito_idp, "cognito-idp",
       { .type = "cognito-idp:userpool",
         .at = "userpool/",
         .list = { "ListUserPools", "\"MaxResults\":60", "UserPools" },
         .arn = "arn:aws:cognito-idp:{region}:{account}:userpool/{Id}",
         TAGGED_PAGES("NextToken"),
         .read = { "ListTagsForResource", "\"ResourceArn\":$arn", "Tags" },
         .tag = { "TagResource", "\"ResourceArn\":$arn,\"Tags\":$map", NULL },
         .untag = { "UntagResource", "\"ResourceArn\":$arn,\"TagKeys\":$keys", NULL } });
