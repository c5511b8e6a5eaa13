"""Small copies of the two files of WISDM."""

MS = 1_000_000  # nanoseconds

# Each kind of fault of the real file, in a file small enough to work out by hand.
RAW = f"""\
33,Jogging,{1000 * MS},-0.5,12.5,0.25;
33,Jogging,{1050 * MS},1,2,3;

33,Jogging,{1100 * MS},4,5,6,;
;
33,Jogging,{1150 * MS},7,8;
33,Jogging,{1150 * MS},7,8,;
33,Jogging,{1200 * MS},-1,-2,-3,,;;
33,Jogging,{1250 * MS},1,1,1;33,Jogging,{1300 * MS},2,2,2;
33,Jogging,0,0,0,0;
33,Jogging,{1350 * MS},3,3,3
33,Walking,{1400 * MS},5,5,5;
33,Walking,{3000 * MS},6,6,6;
33,Walking,{3050 * MS},6,6,7;
33,Walking,{2000 * MS},8,8,8;
7,Walking,{2050 * MS},9,9,9;
7,Swimming,{2100 * MS},9,9,9;
7,Walking,never,9,9,9;
7,Walking,{2150 * MS},nan,9,9;
7,Walking,{2200 * MS},9,9,-9;
"""

ARFF = """\
@relation activity_recognition_labeled

@attribute "UNIQUE_ID" numeric
@attribute "user" {"33" , "17"}
@attribute "X0" numeric
@attribute "XPEAK" numeric
@attribute class{ "Walking" , "Jogging" , "Upstairs" }

@data
1,33,0.04,?,Jogging
2,17,0.12,2075,Walking
3,33,1.5,?,Upstairs
"""
