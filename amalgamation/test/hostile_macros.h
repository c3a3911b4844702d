/* hostile_macros.h -- what system headers of other platforms and careless libraries define. Included between the
   standard headers and northstar.hpp. */
#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))
#define GetObject GetObjectW
#define DeleteFile DeleteFileW
#define CreateFile CreateFileW
#define ERROR 0
#define DELETE 0x00010000L
#define IN
#define OUT
#define OPTIONAL
#define CONST const
#define VOID void
#define BOOL int
#define TRUE 1
#define FALSE 0
#define NO_ERROR 0
#define interface struct
#define small char
#define near
#define far
#define Status int
#define Bool int
#define None 0L
#define Success 0
#define Always 2
#define major(x) ((x) >> 8)
#define minor(x) ((x) & 255)
#define makedev(x, y) (((x) << 8) | (y))
#define assert_true(x) (x)
#define foreach for
#define slots
#define signals public
#define emit
#define linux 1
#define unix 1
#define I _Complex_I
#define DEBUG 1
#define LOG(x) (x)
#define CHECK(x) (x)
