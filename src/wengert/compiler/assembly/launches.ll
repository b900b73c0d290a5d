; Arrays for the results, and the launches of a program.

; Results --------------------------------------------------------------------------------------------------------

; Make the arrays that the program writes its results to; false where there is no memory.
define i1 @make_results(ptr %record, ptr %state) {
start:
  %environment = field ptr record.environment %record
  %ndarray = field ptr environment.ndarray %environment
  %maker = field ptr environment.maker %environment
  %n = field i64 record.nresults %record
  %rows = field ptr record.results %record
  %pointers = field ptr state.pointers %state
  %fresh = field ptr state.fresh %state
  br label %head
head:
  %i = phi i64 [0, %start], [%i.next, %next]
  %more = icmp ult i64 %i, %n
  br i1 %more, label %one, label %all
one:
  %word = mul i64 %i, ${result}
  %row = getelementptr i64, ptr %rows, i64 %word
  %kind = field i64 result.kind %row
  %is.array = icmp eq i64 %kind, 0
  br i1 %is.array, label %array, label %next
array:
  %nd = field i64 result.size %row
  %lengths = field ptr result.lengths %row
  %number = field i64 result.number %row
  %nd.short = trunc i64 %nd to i32
  %number.short = trunc i64 %number to i32
  %turned = field i64 result.turned %row
  %order = trunc i64 %turned to i32
  %made = call ptr %maker(ptr %ndarray, i32 %nd.short, ptr %lengths, i32 %number.short, ptr null, ptr null, i32 0, i32 %order, ptr null)
  %no.memory = icmp eq ptr %made, null
  br i1 %no.memory, label %failed, label %note
note:
  %fresh.at = getelementptr ptr, ptr %fresh, i64 %i
  store ptr %made, ptr %fresh.at
  %data.at = getelementptr i8, ptr %made, i64 16
  %data = load ptr, ptr %data.at
  %pointer = field i64 result.pointer %row
  %pointer.at = getelementptr ptr, ptr %pointers, i64 %pointer
  store ptr %data, ptr %pointer.at
  br label %next
next:
  %i.next = add i64 %i, 1
  br label %head
all:
  ret i1 true
failed:
  ret i1 false
}

; Launches -------------------------------------------------------------------------------------------------------

; Run the launches. 0: done; 1: a guard read something else, which ends at state.read in the block; 2: an exception.
define i64 @walk(ptr %record, ptr %state) {
start:
  %environment = field ptr record.environment %record
  %pointers = field ptr state.pointers %state
  %launches = field ptr record.launches %record
  %n = field i64 record.nlaunches %record
  %release = field i64 record.release %record
  %thread = alloca ptr
  %limited = alloca i64
  store ptr null, ptr %thread
  store i64 0, ptr %limited
  %releases = icmp ne i64 %release, 0
  br i1 %releases, label %let.go, label %begin
let.go:
  %saved = call ptr @PyEval_SaveThread()
  store ptr %saved, ptr %thread
  br label %begin
begin:
  br label %head
head:
  %k = phi i64 [0, %begin], [%k.next, %next]
  %more = icmp ult i64 %k, %n
  br i1 %more, label %launch, label %end
launch:
  %word = mul i64 %k, ${launch}
  %at = getelementptr i64, ptr %launches, i64 %word
  %code = field i64 launch.code %at
  %function = field ptr launch.function %at
  %row = field ptr launch.row %at
  %extent = field i64 launch.extent %at
  switch i64 %code, label %kernel [
    i64 1, label %guard
    i64 2, label %python
    i64 3, label %split
    i64 4, label %single
    i64 5, label %many
    i64 6, label %split.single
    i64 7, label %python
  ]
kernel:
  call void %function(ptr %pointers, ptr %row, i64 0, i64 %extent)
  br label %next
split.single:
  call void @one_blas_thread(ptr %environment, ptr %limited)
  br label %share
split:
  call void @all_blas_threads(ptr %environment, ptr %limited)
  br label %share
share:
  %grain = field i64 launch.grain %at
  %pool = field ptr environment.pool %environment
  call void @share(ptr %pool, ptr %function, ptr %pointers, ptr %row, i64 %extent, i64 %grain)
  br label %next
single:
  call void @one_blas_thread(ptr %environment, ptr %limited)
  br label %kernel
many:
  call void @all_blas_threads(ptr %environment, ptr %limited)
  br label %kernel
guard:
  %as.expected = call i1 @reads(ptr %pointers, ptr %row)
  br i1 %as.expected, label %next, label %otherwise
otherwise:
  put i64 %extent, state.read %state
  put i64 %k, state.failed %state
  br label %end
python:
  call void @take_gil(ptr %thread)
  %few = field i64 launch.grain %at
  %is.few = icmp ne i64 %few, 0
  br i1 %is.few, label %python.single, label %python.many
python.single:
  call void @one_blas_thread(ptr %environment, ptr %limited)
  br label %python.call
python.many:
  call void @all_blas_threads(ptr %environment, ptr %limited)
  br label %python.call
python.call:
  %answer = call ptr @call_python(ptr %state, ptr %function, ptr %row, i64 %extent)
  %failed = icmp eq ptr %answer, null
  br i1 %failed, label %end, label %python.answered
python.answered:
  %gives.all = icmp eq i64 %code, 7
  br i1 %gives.all, label %python.take, label %python.done
python.take:
  call void @take_results(ptr %record, ptr %state, ptr %answer)
  br label %python.done
python.done:
  call void @Py_DecRef(ptr %answer)
  br i1 %releases, label %python.let.go, label %next
python.let.go:
  %again = call ptr @PyEval_SaveThread()
  store ptr %again, ptr %thread
  br label %next
next:
  %k.next = add i64 %k, 1
  br label %head
end:
  %status = phi i64 [0, %head], [1, %otherwise], [2, %python.call]
  call void @all_blas_threads(ptr %environment, ptr %limited)
  call void @take_gil(ptr %thread)
  ret i64 %status
}

define void @take_gil(ptr %thread) {
  %saved = load ptr, ptr %thread
  %away = icmp ne ptr %saved, null
  br i1 %away, label %take, label %done
take:
  store ptr null, ptr %thread
  call void @PyEval_RestoreThread(ptr %saved)
  br label %done
done:
  ret void
}

; Whether a value reads as it did when the program was recorded: its bits, or those of a mask, are equal to some or, as
; a number, above others (which is how NaN is told from infinity).
define i1 @reads(ptr %pointers, ptr %row) {
  %pointer = field i64 guard.pointer %row
  %offset = field i64 guard.offset %row
  %size = field i64 guard.size %row
  %base.at = getelementptr ptr, ptr %pointers, i64 %pointer
  %base = load ptr, ptr %base.at
  %at = getelementptr i8, ptr %base, i64 %offset
  switch i64 %size, label %word [
    i64 1, label %byte
    i64 2, label %short
    i64 4, label %int
  ]
byte:
  %x1 = load i8, ptr %at
  %y1 = zext i8 %x1 to i64
  br label %loaded
short:
  %x2 = load i16, ptr %at, align 1
  %y2 = zext i16 %x2 to i64
  br label %loaded
int:
  %x4 = load i32, ptr %at, align 1
  %y4 = zext i32 %x4 to i64
  br label %loaded
word:
  %y8 = load i64, ptr %at, align 1
  br label %loaded
loaded:
  %all.bits = phi i64 [%y1, %byte], [%y2, %short], [%y4, %int], [%y8, %word]
  %mask = field i64 guard.mask %row
  %expected = field i64 guard.expected %row
  %above = field i64 guard.above %row
  %bits = and i64 %all.bits, %mask
  %is.equal = icmp eq i64 %bits, %expected
  %is.above = icmp ugt i64 %bits, %expected
  %wants.above = icmp ne i64 %above, 0
  %as.expected = select i1 %wants.above, i1 %is.above, i1 %is.equal
  ret i1 %as.expected
}

; Call a Python function with operands, results or what the state keeps for it.
define ptr @call_python(ptr %state, ptr %function, ptr %row, i64 %n) {
start:
  %stack = field ptr state.stack %state
  %tables.at = getelementptr i64, ptr %state, i64 ${state.objects}
  br label %head
head:
  %i = phi i64 [0, %start], [%i.next, %one]
  %more = icmp ult i64 %i, %n
  br i1 %more, label %one, label %call
one:
  ; A pair: which table of the state, and the number in it.
  %pair = getelementptr { i64, i64 }, ptr %row, i64 %i
  %table = load i64, ptr %pair
  %number.at = getelementptr i64, ptr %pair, i64 1
  %number = load i64, ptr %number.at
  %from.at = getelementptr ptr, ptr %tables.at, i64 %table
  %from = load ptr, ptr %from.at
  %object.at = getelementptr ptr, ptr %from, i64 %number
  %object = load ptr, ptr %object.at
  %to = getelementptr ptr, ptr %stack, i64 %i
  store ptr %object, ptr %to
  %i.next = add i64 %i, 1
  br label %head
call:
  %answer = call ptr @PyObject_Vectorcall(ptr %function, ptr %stack, i64 %n, ptr null)
  ret ptr %answer
}

; Let the objects in a list be the results.
define void @take_results(ptr %record, ptr %state, ptr %list) {
start:
  %fresh = field ptr state.fresh %state
  %n = field i64 record.nresults %record
  %items.at = getelementptr i8, ptr %list, i64 24
  %items = load ptr, ptr %items.at
  br label %head
head:
  %i = phi i64 [0, %start], [%i.next, %one]
  %more = icmp ult i64 %i, %n
  br i1 %more, label %one, label %done
one:
  %from = getelementptr ptr, ptr %items, i64 %i
  %object = load ptr, ptr %from
  call void @Py_IncRef(ptr %object)
  %to = getelementptr ptr, ptr %fresh, i64 %i
  store ptr %object, ptr %to
  %i.next = add i64 %i, 1
  br label %head
done:
  ret void
}

