; The native side of a call: arguments checked, results made, launches walked, an answer built.
;
; This is LLVM's assembly language with two words added, which native.py spells out before LLVM reads it, because it
; knows where each field is:
;
;   %x = field ptr record.slow %record      load a field
;   put i64 %x, state.held %state           store a field
;
; All fields are words of eight bytes. Nothing here depends on the process: addresses are in tables, functions of
; CPython are symbols, so the object code can be kept on disk.
;
; Everything runs with the GIL held, unless a stretch of launches has let go of it.

declare ptr @PyObject_Vectorcall(ptr, ptr, i64, ptr)
declare ptr @PyEval_SaveThread()
declare void @PyEval_RestoreThread(ptr)
declare void @Py_DecRef(ptr)
declare void @Py_IncRef(ptr)
declare ptr @PyTuple_New(i64)
declare i32 @PyTuple_SetItem(ptr, i64, ptr)
declare ptr @PyList_New(i64)
declare i32 @PyList_SetItem(ptr, i64, ptr)
declare ptr @PyDict_New()
declare i32 @PyDict_SetItem(ptr, ptr, ptr)
declare i64 @PyLong_AsLongLongAndOverflow(ptr, ptr)
declare ptr @PyDict_GetItemWithError(ptr, ptr)
declare i32 @PyDict_Next(ptr, ptr, ptr, ptr)
declare ptr @PyType_GenericAlloc(ptr, i64)
declare ptr @PyBytes_FromStringAndSize(ptr, i64)
declare i32 @PyObject_RichCompareBool(ptr, ptr, i32)
declare i32 @PyContextVar_Get(ptr, ptr, ptr)
declare ptr @PyObject_GenericGetAttr(ptr, ptr)
declare i32 @PyObject_GenericSetAttr(ptr, ptr, ptr)
declare void @PyErr_Clear()
declare i32 @PyErr_ExceptionMatches(ptr)
declare void @PyErr_Fetch(ptr, ptr, ptr)
declare void @PyErr_Restore(ptr, ptr, ptr)
declare i64 @llvm.cttz.i64(i64, i1)
declare ptr @PyErr_NoMemory()
declare ptr @PyMem_Malloc(i64)
declare void @PyMem_Free(ptr)

; Whether so many arguments came, and those by name under the names that the program knows.
define i1 @given_as_known(ptr %record, i64 %n, ptr %names) {
start:
  %nnames = field i64 record.nnames %record
  %nargs = field i64 record.nargs %record
  %positional = sub i64 %nargs, %nnames
  %as.many = icmp eq i64 %n, %positional
  br i1 %as.many, label %named, label %no
named:
  %without = icmp eq ptr %names, null
  br i1 %without, label %none, label %some
none:
  %wants.none = icmp eq i64 %nnames, 0
  ret i1 %wants.none
some:
  %size.at = getelementptr i64, ptr %names, i64 2
  %size = load i64, ptr %size.at
  %same.size = icmp eq i64 %size, %nnames
  br i1 %same.size, label %compare, label %no
compare:
  %given = getelementptr i8, ptr %names, i64 ${tuple_items}
  %known = field ptr record.names %record
  br label %head
head:
  %i = phi i64 [0, %compare], [%i.next, %same]
  %more = icmp ult i64 %i, %nnames
  br i1 %more, label %one, label %yes
one:
  %given.at = getelementptr ptr, ptr %given, i64 %i
  %known.at = getelementptr ptr, ptr %known, i64 %i
  %given.name = load ptr, ptr %given.at
  %known.name = load ptr, ptr %known.at
  %equal = icmp eq ptr %given.name, %known.name
  br i1 %equal, label %same, label %no
same:
  %i.next = add i64 %i, 1
  br label %head
yes:
  ret i1 true
no:
  ret i1 false
}

; A state that no call in flight uses; null where there are too many.
define ptr @take_state(ptr %record) {
start:
  %free = field ptr record.free %record
  %empty = icmp eq ptr %free, null
  br i1 %empty, label %grow, label %take
grow:
  %grower = field ptr record.grow %record
  %answer = call ptr @PyObject_Vectorcall(ptr %grower, ptr null, i64 0, ptr null)
  %failed = icmp eq ptr %answer, null
  br i1 %failed, label %clear, label %grown
clear:
  call void @PyErr_Clear()
  ret ptr null
grown:
  call void @Py_DecRef(ptr %answer)
  %new = field ptr record.free %record
  %still.empty = icmp eq ptr %new, null
  br i1 %still.empty, label %none, label %take
none:
  ret ptr null
take:
  %state = phi ptr [%free, %start], [%new, %grown]
  %next = field ptr state.next %state
  put ptr %next, record.free %record
  ret ptr %state
}

; Try one record. 0: answered, with null for an exception; 1: its arguments are others; 2: a guard read something else.
define i64 @try(ptr %record, ptr %args, i64 %n, ptr %names, ptr %answer.at, ptr %read.at) {
start:
  %known = call i1 @given_as_known(ptr %record, i64 %n, ptr %names)
  br i1 %known, label %state.take, label %other
other:
  ret i64 1
state.take:
  %state = call ptr @take_state(ptr %record)
  %no.state = icmp eq ptr %state, null
  br i1 %no.state, label %leave, label %check
check:
  %fit = call i1 @all_fit(ptr %record, ptr %state, ptr %args)
  br i1 %fit, label %make, label %give.back
make:
  %made = call i1 @make_results(ptr %record, ptr %state)
  br i1 %made, label %run, label %give.back
run:
  %walked = call i64 @walk(ptr %record, ptr %state)
  switch i64 %walked, label %give.back [
    i64 0, label %finish
    i64 1, label %guarded
    i64 2, label %raised
  ]
raised:
  %environment = field ptr record.environment %record
  %forgives = field i64 record.forgives %record
  %does.not = icmp eq i64 %forgives, 0
  br i1 %does.not, label %give.back, label %which
which:
  %exception = field ptr environment.exception %environment
  %ordinary = call i32 @PyErr_ExceptionMatches(ptr %exception)
  %other.kind = icmp eq i32 %ordinary, 0
  br i1 %other.kind, label %give.back, label %forgive
forgive:
  call void @PyErr_Clear()
  br label %give.back
finish:
  %runs = field i64 record.runs %record
  %runs.next = add i64 %runs, 1
  put i64 %runs.next, record.runs %record
  %whole = call ptr @answer(ptr %record, ptr %state)
  store ptr %whole, ptr %answer.at
  br label %give.back
guarded:
  %instead = field ptr record.instead %record
  %is.last = icmp eq ptr %instead, null
  br i1 %is.last, label %note, label %give.back
note:
  %read = call ptr @what_was_read(ptr %record, ptr %state)
  store ptr %read, ptr %read.at
  br label %give.back
give.back:
  %status = phi i64 [1, %check], [0, %make], [0, %run], [0, %raised], [0, %which], [1, %forgive], [0, %finish], [2, %guarded], [2, %note]
  %held = field ptr state.held %state
  %noperands = field i64 record.noperands %record
  call void @let_go(ptr %held, i64 %noperands)
  %fresh = field ptr state.fresh %state
  %nresults = field i64 record.nresults %record
  call void @let_go(ptr %fresh, i64 %nresults)
  %free = field ptr record.free %record
  put ptr %free, state.next %state
  put ptr %state, record.free %record
  br label %leave
leave:
  %outcome = phi i64 [1, %state.take], [%status, %give.back]
  ret i64 %outcome
}

; Try one record, with its lock held if it has one. It is given back before anything else is called, whatever is raised.
define i64 @try_in_turn(ptr %record, ptr %args, i64 %n, ptr %names, ptr %answer.at, ptr %read.at) {
start:
  %lock = field ptr record.lock %record
  %has.none = icmp eq ptr %lock, null
  br i1 %has.none, label %at.once, label %wait
at.once:
  %status = call i64 @try(ptr %record, ptr %args, i64 %n, ptr %names, ptr %answer.at, ptr %read.at)
  ret i64 %status
wait:
  %class.at = alloca ptr
  %error.at = alloca ptr
  %traceback.at = alloca ptr
  %locked = call ptr @PyObject_Vectorcall(ptr %lock, ptr null, i64 0, ptr null)
  %interrupted = icmp eq ptr %locked, null
  br i1 %interrupted, label %raise, label %turn
raise:
  ret i64 0
turn:
  call void @Py_DecRef(ptr %locked)
  %status.then = call i64 @try(ptr %record, ptr %args, i64 %n, ptr %names, ptr %answer.at, ptr %read.at)
  call void @PyErr_Fetch(ptr %class.at, ptr %error.at, ptr %traceback.at)
  %unlock = field ptr record.unlock %record
  %unlocked = call ptr @PyObject_Vectorcall(ptr %unlock, ptr null, i64 0, ptr null)
  call void @Py_DecRef(ptr %unlocked)
  %class = load ptr, ptr %class.at
  %error = load ptr, ptr %error.at
  %traceback = load ptr, ptr %traceback.at
  call void @PyErr_Restore(ptr %class, ptr %error, ptr %traceback)
  ret i64 %status.then
}

; The first record after one whose guard has read something else of which the guards may read what this one's have; null
; if there is none. The state of that call is the first of the free ones.
define ptr @consistent(ptr %record) {
start:
  %state = field ptr record.free %record
  br label %head
head:
  %before = phi ptr [%record, %start], [%candidate, %compare]
  %n = phi i64 [0, %start], [%n.next, %compare]
  %candidate = field ptr record.instead %before
  %n.next = add i64 %n, 1
  %none = icmp eq ptr %candidate, null
  %enough = icmp ugt i64 %n.next, ${most_tries}
  %stop = or i1 %none, %enough
  br i1 %stop, label %fail, label %compare
compare:
  %may.be = call i1 @may_read(ptr %record, ptr %state, ptr %candidate)
  br i1 %may.be, label %done, label %head
done:
  ret ptr %candidate
fail:
  ret ptr null
}

; How many bytes of the block mean the same to the guards of two records: up to the first that they expect otherwise.
define i64 @shared_bytes(ptr %record, ptr %candidate) {
start:
  %mine = field ptr record.expected %record
  %my.size = field i64 record.nexpected %record
  %theirs = field ptr record.expected %candidate
  %their.size = field i64 record.nexpected %candidate
  %i.shorter = icmp ult i64 %my.size, %their.size
  %common = select i1 %i.shorter, i64 %my.size, i64 %their.size
  br label %head
head:
  %i = phi i64 [0, %start], [%i.next, %same]
  %more = icmp ult i64 %i, %common
  br i1 %more, label %word, label %all
word:
  %mine.at = getelementptr i8, ptr %mine, i64 %i
  %theirs.at = getelementptr i8, ptr %theirs, i64 %i
  %a = load i64, ptr %mine.at, align 1
  %b = load i64, ptr %theirs.at, align 1
  %other = xor i64 %a, %b
  %is.same = icmp eq i64 %other, 0
  br i1 %is.same, label %same, label %differs
same:
  %i.next = add i64 %i, 8
  br label %head
differs:
  %bit = call i64 @llvm.cttz.i64(i64 %other, i1 true)
  %byte = lshr i64 %bit, 3
  %at = add i64 %i, %byte
  %end = add i64 %at, 1
  %is.inside = icmp ult i64 %end, %common
  %found = select i1 %is.inside, i64 %end, i64 %common
  ret i64 %found
all:
  ret i64 %common
}

; Whether the guards of a record may read what those of another one have, up to the one that has read something else. All
; guards read the block. What lies behind the byte at which the two part is of other guards.
define i1 @may_read(ptr %record, ptr %state, ptr %candidate) {
start:
  %pointers = field ptr state.pointers %state
  %number = field i64 record.block %record
  %block.at = getelementptr ptr, ptr %pointers, i64 %number
  %block = load ptr, ptr %block.at
  %launches = field ptr record.launches %record
  %last = field i64 state.failed %state
  %expected = field ptr record.expected %candidate
  %size = call i64 @shared_bytes(ptr %record, ptr %candidate)
  br label %head
head:
  %k = phi i64 [0, %start], [%k.next, %next]
  %more = icmp ule i64 %k, %last
  br i1 %more, label %launch, label %yes
launch:
  %word = mul i64 %k, ${launch}
  %at = getelementptr i64, ptr %launches, i64 %word
  %code = field i64 launch.code %at
  %row = field ptr launch.row %at
  %is.guard = icmp eq i64 %code, 1
  br i1 %is.guard, label %guard, label %next
guard:
  %offset = field i64 guard.offset %row
  %above = field i64 guard.above %row
  %mask = field i64 guard.mask %row
  %is.inside = icmp ult i64 %offset, %size
  %by.bits = icmp eq i64 %above, 0
  %tells = and i1 %is.inside, %by.bits
  br i1 %tells, label %compare, label %next
compare:
  %left = sub i64 %size, %offset
  %is.whole = icmp uge i64 %left, 8
  %missing = sub i64 8, %left
  %cut = select i1 %is.whole, i64 0, i64 %missing
  %cut.bits = mul i64 %cut, 8
  %kept = lshr i64 -1, %cut.bits
  %mask.kept = and i64 %mask, %kept
  %found.at = getelementptr i8, ptr %block, i64 %offset
  %wanted.at = getelementptr i8, ptr %expected, i64 %offset
  %found = load i64, ptr %found.at, align 1
  %wanted = load i64, ptr %wanted.at, align 1
  %other = xor i64 %found, %wanted
  %masked = and i64 %other, %mask.kept
  %differs = icmp ne i64 %masked, 0
  br i1 %differs, label %no, label %next
next:
  %k.next = add i64 %k, 1
  br label %head
yes:
  ret i1 true
no:
  ret i1 false
}

; The bytes of the block up to the end of what a guard has read; null where there is no memory.
define ptr @what_was_read(ptr %record, ptr %state) {
start:
  %pointers = field ptr state.pointers %state
  %number = field i64 record.block %record
  %block.at = getelementptr ptr, ptr %pointers, i64 %number
  %block = load ptr, ptr %block.at
  %size = field i64 state.read %state
  %bytes = call ptr @PyBytes_FromStringAndSize(ptr %block, i64 %size)
  %failed = icmp eq ptr %bytes, null
  br i1 %failed, label %clear, label %done
clear:
  call void @PyErr_Clear()
  br label %done
done:
  ret ptr %bytes
}

; Call the slow path of a record: with what a guard has read, or None, then the arguments as they came.
define ptr @go_slow(ptr %record, ptr %read, ptr %args, i64 %n, ptr %names) {
start:
  %environment = field ptr record.environment %record
  %nothing = field ptr environment.nothing %environment
  %slow = field ptr record.slow %record
  %unread = icmp eq ptr %read, null
  %first = select i1 %unread, ptr %nothing, ptr %read
  %without = icmp eq ptr %names, null
  br i1 %without, label %room, label %named
named:
  %size.at = getelementptr i64, ptr %names, i64 2
  %size = load i64, ptr %size.at
  br label %room
room:
  %extra = phi i64 [0, %start], [%size, %named]
  %all = add i64 %n, %extra
  %one.more = add i64 %all, 1
  %size.given = mul i64 %one.more, 8
  %given = call ptr @PyMem_Malloc(i64 %size.given)
  %no.room = icmp eq ptr %given, null
  br i1 %no.room, label %raise, label %start.copying
start.copying:
  store ptr %first, ptr %given
  br label %head
head:
  %i = phi i64 [0, %start.copying], [%i.next, %one]
  %more = icmp ult i64 %i, %all
  br i1 %more, label %one, label %call
one:
  %from = getelementptr ptr, ptr %args, i64 %i
  %object = load ptr, ptr %from
  %i.next = add i64 %i, 1
  %to = getelementptr ptr, ptr %given, i64 %i.next
  store ptr %object, ptr %to
  br label %head
call:
  %positional = add i64 %n, 1
  call void @Py_IncRef(ptr %slow)
  %answer = call ptr @PyObject_Vectorcall(ptr %slow, ptr %given, i64 %positional, ptr %names)
  call void @Py_DecRef(ptr %slow)
  call void @PyMem_Free(ptr %given)
  br label %clear
raise:
  %raised = call ptr @PyErr_NoMemory()
  br label %clear
clear:
  %outcome = phi ptr [%answer, %call], [null, %raise]
  br i1 %unread, label %done, label %drop
drop:
  call void @Py_DecRef(ptr %read)
  br label %done
done:
  ret ptr %outcome
}

; A call, as CPython makes it (METH_FASTCALL | METH_KEYWORDS). `self` is the array in which the first record lies.
; Python code that runs in between might drop a record, so the one in use is held.
define ptr @entry(ptr %self, ptr %args, i64 %flagged, ptr %names) {
start:
  %self.at = getelementptr i8, ptr %self, i64 16
  %first = load ptr, ptr %self.at
  %n = and i64 %flagged, 9223372036854775807
  %answer.at = alloca ptr
  %read.at = alloca ptr
  store ptr null, ptr %answer.at
  store ptr null, ptr %read.at
  %first.owner = field ptr record.owner %first
  call void @Py_IncRef(ptr %first.owner)
  br label %head
head:
  %record = phi ptr [%first, %start], [%other, %again]
  %owner = phi ptr [%first.owner, %start], [%other.owner, %again]
  %tries = phi i64 [1, %start], [%tries.next, %again]
  %status = call i64 @try_in_turn(ptr %record, ptr %args, i64 %n, ptr %names, ptr %answer.at, ptr %read.at)
  switch i64 %status, label %answered [
    i64 1, label %unknown
    i64 2, label %guarded
  ]
unknown:
  %next = field ptr record.next %record
  br label %onwards
guarded:
  %noted = load ptr, ptr %read.at
  %is.last = icmp ne ptr %noted, null
  br i1 %is.last, label %slow, label %follow
follow:
  %instead = call ptr @consistent(ptr %record)
  %all.differ = icmp eq ptr %instead, null
  br i1 %all.differ, label %tell, label %onwards
tell:
  %last.state = field ptr record.free %record
  %told = call ptr @what_was_read(ptr %record, ptr %last.state)
  store ptr %told, ptr %read.at
  br label %slow
onwards:
  %other = phi ptr [%next, %unknown], [%instead, %follow]
  %tries.next = add i64 %tries, 1
  %none = icmp eq ptr %other, null
  %enough = icmp ugt i64 %tries.next, ${most_tries}
  %stop = or i1 %none, %enough
  br i1 %stop, label %slow, label %again
again:
  %other.owner = field ptr record.owner %other
  call void @Py_IncRef(ptr %other.owner)
  call void @Py_DecRef(ptr %owner)
  br label %head
slow:
  %read = load ptr, ptr %read.at
  %slow.answer = call ptr @go_slow(ptr %record, ptr %read, ptr %args, i64 %n, ptr %names)
  br label %leave
answered:
  %answer = load ptr, ptr %answer.at
  br label %leave
leave:
  %whole = phi ptr [%slow.answer, %slow], [%answer, %answered]
  call void @Py_DecRef(ptr %owner)
  ret ptr %whole
}
