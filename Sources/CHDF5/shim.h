#pragma once
#include <hdf5.h>

/* Ids such as H5T_STD_I32LE and H5P_DATASET_CREATE are macros that open the library and read a
   global. Swift cannot import such macros, so each function here stands for one of them. */
static inline hid_t chdf5_type_f32(void) { return H5T_IEEE_F32LE; }
static inline hid_t chdf5_type_f64(void) { return H5T_IEEE_F64LE; }
static inline hid_t chdf5_type_i32(void) { return H5T_STD_I32LE; }
static inline hid_t chdf5_type_i64(void) { return H5T_STD_I64LE; }
static inline hid_t chdf5_type_i16(void) { return H5T_STD_I16LE; }
static inline hid_t chdf5_type_i8(void) { return H5T_STD_I8LE; }
static inline hid_t chdf5_type_u64(void) { return H5T_STD_U64LE; }
static inline hid_t chdf5_type_u32(void) { return H5T_STD_U32LE; }
static inline hid_t chdf5_type_u16(void) { return H5T_STD_U16LE; }
static inline hid_t chdf5_type_u8(void) { return H5T_STD_U8LE; }
static inline hid_t chdf5_type_string(void) { return H5T_C_S1; }
static inline hid_t chdf5_file_access(void) { return H5P_FILE_ACCESS; }
static inline hid_t chdf5_dataset_create(void) { return H5P_DATASET_CREATE; }
static inline hid_t chdf5_group_create(void) { return H5P_GROUP_CREATE; }
static inline hid_t chdf5_link_create(void) { return H5P_LINK_CREATE; }
static inline hid_t chdf5_default(void) { return H5P_DEFAULT; }
static inline hid_t chdf5_all(void) { return H5S_ALL; }

/* The flags are macros too: one of them carries a debugging call. */
static inline unsigned chdf5_truncate(void) { return H5F_ACC_TRUNC; }

/* The library prints its error stack to standard error unless told otherwise; H5E_DEFAULT is a cast
   that Swift cannot import. */
static inline void chdf5_silence(void) { H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }

/* The innermost entry of the error stack, which is the first error. Returns 0 if there is none. */
static inline herr_t chdf5_note_error(unsigned n, const H5E_error2_t *entry, void *into) {
    if (n == 0 && entry->desc) {
        char *text = (char *)into;
        unsigned i = 0;
        while (i < 255 && entry->desc[i]) { text[i] = entry->desc[i]; i++; }
        text[i] = 0;
    }
    return 0;
}
static inline int chdf5_last_error(char text[256]) {
    text[0] = 0;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, chdf5_note_error, text);
    H5Eclear2(H5E_DEFAULT);
    return text[0] != 0;
}

/* IEEE half precision, which HDF5 1.10 does not predefine; h5py reads it as float16. */
static inline hid_t chdf5_make_f16(void) {
    hid_t type = H5Tcopy(H5T_IEEE_F32LE);
    if (type < 0) return type;
    if (H5Tset_fields(type, 15, 10, 5, 0, 10) < 0 || H5Tset_size(type, 2) < 0
        || H5Tset_ebias(type, 15) < 0) {
        H5Tclose(type);
        return -1;
    }
    return type;
}

/* Two system calls for files that the Glibc module does not export. */
#include <sys/types.h>
#include <sys/vfs.h>
extern int fallocate(int descriptor, int mode, off_t offset, off_t length);

/* The type of the file system of an open file, as in statfs(2); 0 if it is unknown. */
static inline unsigned long chdf5_file_system(int descriptor) {
    struct statfs status;
    return fstatfs(descriptor, &status) == 0 ? (unsigned long)status.f_type : 0;
}
