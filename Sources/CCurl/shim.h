#pragma once
#include <curl/curl.h>

/* Swift cannot call functions with a variable number of arguments; libcurl sets and reads its
   options with them. One function for each type of option. */

typedef size_t (*sami_curl_receive)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode sami_curl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode sami_curl_set_size(CURL *handle, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode sami_curl_set_text(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode sami_curl_set_pointer(CURL *handle, CURLoption option, const void *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode sami_curl_set_receiver(
    CURL *handle, CURLoption option, sami_curl_receive receive) {
    return curl_easy_setopt(handle, option, receive);
}

static inline CURLcode sami_curl_get_long(CURL *handle, CURLINFO info, long *value) {
    return curl_easy_getinfo(handle, info, value);
}

static inline CURLcode sami_curl_get_text(CURL *handle, CURLINFO info, const char **value) {
    return curl_easy_getinfo(handle, info, value);
}

static inline CURLcode sami_curl_get_size(CURL *handle, CURLINFO info, curl_off_t *value) {
    return curl_easy_getinfo(handle, info, value);
}

static inline CURLMcode sami_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

/* The result of a finished transfer, which is a member of a union in libcurl's message. */
static inline CURLcode sami_curl_result(const CURLMsg *message) { return message->data.result; }
